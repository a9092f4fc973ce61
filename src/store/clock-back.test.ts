// Tables that store only the newest rows, after the clock is set back: the latest row stays, and the oldest one is deleted.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { AT_ONCE } from '../contract/clock.ts';
import type { Database } from './database.ts';
import { createDeviceCodes, DEVICE_CODE_LIMITS } from './device-codes.ts';
import { createKnownFlows } from './known-flows.ts';
import { createLeases } from './leases.ts';
import { createLoginAttempts, LOGIN_ATTEMPT_LIMITS } from './login-attempts.ts';
import { createMakers } from './makers.ts';
import { createRunTokens, type RunTokens } from './run-tokens.ts';
import { openSqlite } from './sqlite.ts';
import { createSqliteTables } from './sqlite-schema.ts';

const HOUR_MS = 3_600_000;
const MOST = 3;

let directory: string;
let database: Database;
let nowMs: number;
const clock = () => nowMs;

beforeEach(async () => {
  directory = makeMemoryDir('lictor-clock-back-');
  database = openSqlite(join(directory, 'lictor.db'));
  nowMs = 1_700_000_000_000;
  await createSqliteTables(database);
});
afterEach(async () => {
  await database.close();
  rmSync(directory, { recursive: true });
});

/** Stores as many rows as fit. Then sets the clock back, and stores `late`. */
async function fill(put: (id: string) => Promise<unknown>, late: readonly string[]): Promise<void> {
  for (const id of ['1', '2', '3']) {
    await put(id);
    nowMs += 1;
  }
  nowMs -= HOUR_MS;
  for (const id of late) await put(id);
}

it('objects of a principal are listed, the newest first', async () => {
  const makers = createMakers(database, clock, MOST);
  await fill((id) => makers.put('FlowRun', id, 'token:a'), ['new', 'newer']);
  expect(await makers.createdBy('token:a', 'FlowRun')).toEqual(['newer', 'new', '3']);
  expect([await makers.of('FlowRun', 'new'), await makers.of('FlowRun', '1')]).toEqual(['token:a', null]);
});

it('a flow that was registered last is known, also one that was known before', async () => {
  const flows = createKnownFlows(database, clock, MOST);
  await fill((id) => flows.put('token:a', id), ['1', 'new']);
  expect(await Promise.all(['1', '2', '3', 'new'].map((id) => flows.has('token:a', id)))).toEqual([true, false, true, true]);
});

it('a lease that was taken last is known', async () => {
  const leases = createLeases(database, clock, MOST);
  await fill((id) => leases.put({ id, principal: 'token:a', flowRun: null }, HOUR_MS), ['new']);
  const known = await Promise.all(['1', '2', '3', 'new'].map((id) => leases.of(id)));
  expect(known.map((lease) => lease !== null)).toEqual([false, true, true, true]);
});

it('a login on the way that was begun last is there, and the oldest of its address is not', async () => {
  const attempts = createLoginAttempts(database, clock);
  const begin = (id: string) => attempts.create({ id, returnTo: '/', address: '192.0.2.1' });
  for (let index = 0; index < LOGIN_ATTEMPT_LIMITS.perAddress; index += 1) await begin(`${index}`);
  nowMs -= HOUR_MS;
  await begin('new');
  await begin('newer');
  expect([await attempts.read('1'), await attempts.read('2'), await attempts.read('new')].map((row) => row !== undefined)).toEqual([false, true, true]);
});

it('a device that polls at the requested interval is not asked to be slower', async () => {
  const codes = createDeviceCodes(database, clock);
  const asks = { clientId: 'c', scopes: [], audience: 'api', openid: false, address: '192.0.2.1', userAgent: '' };
  await codes.create({ id: 'd', hash: 'h', userHash: 'u', ...asks });
  expect(await codes.poll('d')).toBe(true);
  nowMs -= HOUR_MS;
  expect(await codes.poll('d')).toBe(true);
  nowMs += 1;
  expect(await codes.poll('d')).toBe(false);
  nowMs += DEVICE_CODE_LIMITS.intervalMs + DEVICE_CODE_LIMITS.slowerMs;
  expect(await codes.poll('d')).toBe(true);
});

it.each<[string, (tokens: RunTokens) => Promise<unknown>]>([
  ['when the run ends', (tokens) => tokens.endNow('run')],
  ['when another worker takes the run over', (tokens) => tokens.goLive({ ...RUN_TOKEN, binding: 'token:b' })],
])('the grace of a run token is over %s, though the clock was put back', async (_when, end) => {
  const tokens = createRunTokens(database, clock);
  await tokens.put([RUN_TOKEN, { ...RUN_TOKEN, hash: 'other', binding: 'token:b' }]);
  await tokens.goLive(RUN_TOKEN);
  await tokens.endOf('run', nowMs + 60_000);
  nowMs += 120_000;
  await end(tokens);
  nowMs -= HOUR_MS;
  expect((await tokens.byHash('hash'))?.endedMs).toBe(AT_ONCE);
});

it('twin: its grace lasts as long as the clock says until then', async () => {
  const tokens = createRunTokens(database, clock);
  await tokens.put([RUN_TOKEN]);
  await tokens.goLive(RUN_TOKEN);
  await tokens.endOf('run', nowMs + 60_000);
  expect((await tokens.byHash('hash'))?.endedMs).toBe(nowMs + 60_000);
});

const RUN_TOKEN = {
  ...{ hash: 'hash', id: 'id', flowRunId: 'run', deploymentId: null, pool: 'p', stateId: 's', worker: 'token:a', binding: 'token:a' },
  ...{ credentialId: 'c', identity: null, onBehalfOf: [], expiresMs: 1_700_100_000_000 },
};
