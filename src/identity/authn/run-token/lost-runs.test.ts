import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IdentityProvider, MtlsProvider } from '../../../config/config.ts';
import { makeMemoryDir } from '../../../config/memory-dir.fixture.ts';
import type { JsonValue } from '../../../contract/json/tree.ts';
import type { NewRecord } from '../../../contract/record.ts';
import { isNotable } from '../../../record/ledger/notable.ts';
import type { WorkerIdentity } from '../../../store/run-token-identity.ts';
import { openStore, type Store } from '../../../store/store.ts';
import { trustIn } from '../access-token/trust.ts';
import { createLostRuns } from './lost-runs.ts';

const MINUTE_MS = 60_000;
const RUN = '0199c0de-0000-7000-8000-000000000001';
const OTHER = '0199c0de-0000-7000-8000-000000000002';
const STARTED_BY = ['token:boss'];
const CI: MtlsProvider = { id: 'ci', type: 'mtls', principalFrom: 'san_dns' };
let root: string;
let providers: readonly IdentityProvider[];
let nowMs: number;
let store: Store;
let state: JsonValue;
let prefectIsAway: boolean;
let unreadable: string;
let records: NewRecord[];
let look: () => Promise<void>;

beforeEach(async () => {
  [nowMs, state, prefectIsAway, unreadable, records] = [1_700_000_000_000, { type: 'RUNNING' }, false, 'none', []];
  root = makeMemoryDir('lictor-lost-runs-');
  const storeAt = join(root, 'lictor.db');
  store = await openStore({ at: storeAt, clock: () => nowMs });
  await store.tokens.create({ id: 'w', name: 'w', roles: ['worker'], cidrs: [], lifetimeMs: 10 * MINUTE_MS, hash: 'w' });
  await begin(RUN);
  providers = [CI];
  look = createLostRuns({
    storeAt,
    providers: () => providers,
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

const OF_TOKEN = { binding: 'token w', identity: null };
const OF_CERTIFICATE = {
  binding: 'principal etl@ci',
  identity: { idp: 'ci', subject: 'etl', name: 'etl', kind: 'service', groups: [], claims: {}, trust: trustIn(CI) },
} as const;

/** A login of the command line, of 20 minutes; the browser session that it may stand on lasts 10. */
async function logIn(id: string, sessionId: string | null = null) {
  const expiresMs = nowMs + 20 * MINUTE_MS;
  await store.accounts.create({ id: 'a', name: 'alice', roles: ['admin'], password: 'phc' });
  await store.sessions.create({ id: 's', account: { id: 'a', password: 'phc' }, expiresMs: nowMs + 10 * MINUTE_MS });
  const common = { clientId: 'cli', scopes: [], audience: 'api' };
  await store.deviceCodes.create({ ...common, id, hash: id, userHash: id, openid: false, address: '192.0.2.1', userAgent: '' });
  const grant = { ...common, id, accountId: 'a', identityId: null, sessionId, allowedIn: 's', refreshAfterMs: null, expiresMs };
  expect(await store.deviceCodes.decide(id, grant)).toBe(true);
  expect(await store.deviceCodes.redeem(id, { refreshHash: id, access: { id, hash: id, expiresMs: nowMs + MINUTE_MS } })).toBe(true);
  return { binding: `login ${id}`, identity: null };
}

async function begin(flowRunId: string, by: { readonly binding: string; readonly identity: WorkerIdentity | null } = OF_TOKEN): Promise<void> {
  const of = { flowRunId, deploymentId: null, pool: 'p', stateId: 's', worker: 'token:w', credentialId: 'w', ...by };
  const token = { ...of, hash: flowRunId, id: flowRunId, onBehalfOf: STARTED_BY, expiresMs: nowMs + 60 * MINUTE_MS };
  await store.runTokens.put([token]);
  await store.runTokens.goLive(token);
}

const lookIn = (minutes: number): Promise<void> => {
  nowMs += minutes * MINUTE_MS;
  return look();
};

describe('a run whose worker has lost its token', () => {
  it('is reported once, a minute after the token expired, by a record that becomes an event of the run', async () => {
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

  it('is not reported if it has ended in Prefect, and its token ends', async () => {
    state = { type: 'COMPLETED', timestamp: new Date(nowMs).toISOString() };
    await lookIn(12);
    await lookIn(1);
    expect(records).toEqual([]);
    expect((await store.runTokens.lastOf(RUN))?.endedMs).not.toBeNull();
  });

  it('is reported when Prefect answers again', async () => {
    prefectIsAway = true;
    await expect(lookIn(12)).rejects.toThrow('could not be looked at');
    expect(records).toEqual([]);
    prefectIsAway = false;
    await lookIn(1);
    expect(records).toHaveLength(1);
  });

  it('is reported beside a newer one that Prefect cannot show, which is reported when Prefect can', async () => {
    await begin(OTHER);
    unreadable = OTHER;
    await expect(lookIn(12)).rejects.toThrow('could not be looked at');
    await expect(lookIn(1)).rejects.toThrow('could not be looked at');
    expect(records.map(({ flow_run_id: id }) => id)).toEqual([RUN]);
    unreadable = 'none';
    await lookIn(1);
    expect(records.map(({ flow_run_id: id }) => id)).toEqual([RUN, OTHER]);
  });

  it('has the former end of its token: a check by the gateway does not extend it', async () => {
    const before = (await store.runTokens.lastOf(RUN))?.expiresMs;
    await lookIn(12);
    await lookIn(1);
    expect(records).toHaveLength(1);
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

describe('a run whose worker has no service token', () => {
  const reported = async (minutes: number) => {
    await lookIn(minutes);
    await lookIn(1);
    return records.map(({ flow_run_id: id }) => id);
  };

  it.each<[string, () => Promise<typeof OF_TOKEN | typeof OF_CERTIFICATE>, () => unknown, number]>([
    ['a login of the command line that was revoked', () => logIn('g'), () => store.clientGrants.end('g'), 0],
    ['a login of the command line that has expired', () => logIn('g'), () => undefined, 20],
    ['a login whose browser session was signed out', () => logIn('g', 's'), () => store.sessions.end('s'), 0],
    ['a login whose browser session has expired', () => logIn('g', 's'), () => undefined, 10],
    ['a login whose account was removed', () => logIn('g'), () => store.accounts.remove('alice'), 0],
    ['a provider that lictor.yaml no longer has', async () => OF_CERTIFICATE, () => (providers = []), 0],
    ['a provider that lictor.yaml trusts otherwise now', async () => OF_CERTIFICATE, () => (providers = [{ ...CI, principalFrom: 'subject_cn' }]), 0],
  ])('is reported after %s, once; not before', async (_name, by, end, minutes) => {
    await store.runTokens.endNow(RUN);
    await begin(OTHER, await by());
    expect(await reported(0)).toEqual([]);
    await end();
    expect(await reported(minutes)).toEqual([OTHER]);
    expect(await reported(1)).toEqual([OTHER]);
  });

  it('twin: is not where the login was refreshed, and where another provider changed', async () => {
    await begin(RUN, await logIn('g'));
    await begin(OTHER, OF_CERTIFICATE);
    expect(await store.clientGrants.rotate('g', { refreshHash: 'g2', access: { id: 'g2', hash: 'g2', expiresMs: nowMs + 10 * MINUTE_MS } })).toBe(true);
    providers = [CI, { id: 'local', type: 'accounts' }];
    expect(await reported(5)).toEqual([]);
  });
});
