import { afterEach, expect, it } from 'vitest';
import { appendRecord } from '../../record/ledger/append-record.ts';
import { tempState } from '../../record/ledger/lines.fixture.ts';
import { readSeenRecords } from './seen-records.ts';

const state = tempState();
afterEach(() => state.remove());

it("names denied workers, and not the token and the requests of lictor doctor: a token's name alone hides nothing", async () => {
  const now = Date.now();
  const [time, expires_at] = [new Date(now).toISOString(), new Date(now + 120_000).toISOString()];
  const grantBy = (rule: string) => [{ expires_at, members: [], networks: [], role: 'worker', rules: [rule], scope: null }];
  for (const [name, rule] of [
    ['doctor-1', 'lictor doctor'],
    ['doctor-2', 'token doctor-2'],
  ] as const) {
    appendRecord(state.paths, { time, action: 'token.create', resource_type: 'ServiceToken', resource_id: name, grants: grantBy(rule) });
    const path = '/api/work_pools/lictor-doctor/workers/connect';
    appendRecord(state.paths, {
      time,
      principal: `token:${name}`,
      action: 'worker.connect',
      decision: 'deny',
      reason: 'object-foreign',
      mode: 'enforce',
      path,
    });
  }
  const probe = { time, action: 'worker.connect', decision: 'deny', reason: 'credential-missing', mode: 'enforce', principal: null } as const;
  const path = '/api/work_pools/lictor-doctor/workers/connect';
  for (const request_id of ['probe', 'stranger']) appendRecord(state.paths, { ...probe, path, request_id });
  appendRecord(state.paths, { time, action: 'doctor.requests', resource_type: 'DoctorRequests', resource_id: 'other probe', request_id: null });
  const { denied } = await readSeenRecords(state.paths.ledgerFile, [], now);
  expect(denied).toEqual([
    { pool: 'lictor-doctor', principal: 'token:doctor-2', reason: 'object-foreign', count: 1 },
    { pool: 'lictor-doctor', principal: null, reason: 'credential-missing', count: 1 },
  ]);
});
