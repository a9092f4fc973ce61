import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NewRecord } from '../../contract/record.ts';
import type { JsonValue } from '../../json/tree.ts';
import { isNotable } from '../../ledger/notable.ts';
import { openStore, type Store } from '../../store/store.ts';
import { createLostRuns } from './lost-runs.ts';

const MINUTE_MS = 60_000;
const RUN = '0199c0de-0000-7000-8000-000000000001';
const OTHER = '0199c0de-0000-7000-8000-000000000002';
const STARTED_BY = ['token:boss'];
let root: string;
let nowMs: number;
let store: Store;
let state: JsonValue;
let prefectIsAway: boolean;
let unreadable: string;
let records: NewRecord[];
let look: () => Promise<void>;

beforeEach(async () => {
  [nowMs, state, prefectIsAway, unreadable, records] = [1_700_000_000_000, { type: 'RUNNING' }, false, 'none', []];
  root = mkdtempSync(join(tmpdir(), 'lictor-lost-runs-'));
  const storeFile = join(root, 'lictor.db');
  store = await openStore({ file: storeFile, clock: () => nowMs });
  await store.tokens.create({ id: 'w', name: 'w', roles: ['worker'], cidrs: [], lifetimeMs: 10 * MINUTE_MS, hash: 'w' });
  await begin(RUN);
  look = createLostRuns({
    storeFile,
    store: store.runTokens,
    clock: () => nowMs,
    record: async (record) => void records.push(record),
    async lookup(path) {
      if (prefectIsAway || path.endsWith(unreadable)) throw new Error('Prefect is away');
      return { state };
    },
  });
});
afterEach(async () => {
  await store.close();
  rmSync(root, { recursive: true });
});

async function begin(flowRunId: string): Promise<void> {
  const of = { flowRunId, deploymentId: null, pool: 'p', stateId: 's', worker: 'token:w', binding: 'token w', credentialId: 'w' };
  const token = { ...of, hash: flowRunId, id: flowRunId, identity: null, onBehalfOf: STARTED_BY, expiresMs: nowMs + 60 * MINUTE_MS };
  await store.runTokens.put([token]);
  await store.runTokens.goLive(token);
}

const lookIn = (minutes: number): Promise<void> => {
  nowMs += minutes * MINUTE_MS;
  return look();
};

describe('a run whose worker has no token any more', () => {
  it('is reported once, a minute after the token expired, as what becomes an event of the run', async () => {
    await lookIn(10.9);
    expect(records).toEqual([]);
    await lookIn(0.1);
    await lookIn(1);
    expect(records).toMatchObject([
      { principal: `run:${RUN}`, flow_run_id: RUN, on_behalf_of: STARTED_BY, decision: 'deny', reason: 'run-token-orphaned', run_binding: 'verified' },
    ]);
    expect(records.every(isNotable)).toBe(true);
  });

  it('is reported a minute after the token was revoked', async () => {
    await store.tokens.revoke('w');
    await lookIn(0.9);
    expect(records).toEqual([]);
    await lookIn(0.1);
    expect(records).toHaveLength(1);
  });

  it('is not reported where Prefect shows that it has ended, and its token ends', async () => {
    state = { type: 'COMPLETED', timestamp: new Date(nowMs).toISOString() };
    await lookIn(12);
    expect(records).toEqual([]);
    expect((await store.runTokens.lastOf(RUN))?.endedMs).not.toBeNull();
  });

  it('is reported when Prefect can be asked again', async () => {
    prefectIsAway = true;
    await expect(lookIn(12)).rejects.toThrow('could not be looked at');
    expect(records).toEqual([]);
    prefectIsAway = false;
    await lookIn(1);
    expect(records).toHaveLength(1);
  });

  it('is reported beside a newer one that Prefect cannot show; that one when Prefect can', async () => {
    await begin(OTHER);
    unreadable = OTHER;
    await expect(lookIn(12)).rejects.toThrow('could not be looked at');
    expect(records.map(({ flow_run_id: id }) => id)).toEqual([RUN]);
    unreadable = 'none';
    await lookIn(1);
    expect(records.map(({ flow_run_id: id }) => id)).toEqual([RUN, OTHER]);
  });

  it('has the end of its token as before: a look of the gateway does not prolong it', async () => {
    const before = (await store.runTokens.lastOf(RUN))?.expiresMs;
    await lookIn(12);
    expect((await store.runTokens.lastOf(RUN))?.expiresMs).toBe(before);
  });

  it('twin: one whose worker has a token is not, and neither is one whose token was rotated within the minute', async () => {
    await lookIn(9);
    expect(records).toEqual([]);
    await lookIn(1.5);
    await store.tokens.rotate({ id: 'w', hash: 'w2', overlapMs: 0 });
    await lookIn(5);
    expect(records).toEqual([]);
  });
});
