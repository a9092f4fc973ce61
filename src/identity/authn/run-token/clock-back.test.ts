// The tokens of runs while the wall clock is put back: what has ended stays so, and what holds goes on.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { JsonValue } from '../../../contract/json/tree.ts';
import { everywhere } from '../../../contract/scope.ts';
import { anEdgeInput } from '../inputs.fixture.ts';
import { openTestStore, type TestStore } from '../store.fixture.ts';
import { openRunTokens } from './open.ts';
import type { Worker } from './worker.ts';

const RUN = '11111111-1111-4111-8111-111111111111';
const IDP = { id: 'ci', type: 'jwt', issuer: 'https://ci', audiences: ['lictor'], require: {} } as never;
const SECOND = 1_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let home: TestStore;
let prefectSays: JsonValue | null;

beforeEach(async () => {
  home = await openTestStore();
  prefectSays = { state: { type: 'RUNNING' } };
});
afterEach(() => home.close());

/** As after a restart each time: nothing is remembered but what the store holds. */
function room() {
  return openRunTokens({
    store: home.store,
    config: { identityProviders: [IDP], roles: [{ role: 'worker', scope: null, members: ['*@ci'] }], agents: [] },
    runTokenKey: Buffer.alloc(32, 7),
    clock: home.clock,
    steady: home.steady,
    standing: async () => ({ ok: false, reason: 'login-ended' }),
    lookup: async () => prefectSays,
    mayPoll: (role) => role === 'worker',
    sync: async () => undefined,
    log: { warn: () => undefined },
  });
}

const ci = (credentialId = 'at1'): Worker => ({
  principal: { id: 'job@ci', kind: 'service', idp: 'ci', roles: ['worker'], grants: everywhere(['worker']), groups: [], attributes: {}, onBehalfOf: [] },
  credential: { id: credentialId, carrier: 'authorization', expiresAtMs: null, sessionId: null, alsoPresented: [] },
});

async function etl(name = 'etl'): Promise<Worker> {
  const { id } = await home.token({ name });
  const worker = ci(id);
  return { ...worker, principal: { ...worker.principal, id: `token:${name}`, kind: 'worker', idp: null } };
}

const setState = (type: string, by: Worker) => room().desk.stateSet({ flowRunId: RUN, type, accepted: true, by });

async function mint(worker: Worker, stateId = 's1'): Promise<string> {
  const given = { flowRunId: RUN, deploymentId: null, pool: 'p', stateId, onBehalfOf: [] };
  return (await room().desk.mint(worker, [given])).get(RUN) ?? '';
}

async function live(worker: Worker): Promise<string> {
  const token = await mint(worker);
  await setState('PENDING', worker);
  return token;
}

async function reasonOf(text: string): Promise<string> {
  const verdict = await room().kind.verify(text, 'authorization', anEdgeInput({ address: '192.0.2.1' }));
  return verdict.ok ? 'ok' : verdict.reason;
}

it.each([2 * SECOND, HOUR, DAY])('one that was ended at once stays ended if the clock is put back by %i ms', async (backMs) => {
  const worker = await etl();
  const token = await live(worker);
  await setState('SCHEDULED', worker);
  home.putClock(-backMs);
  expect(await reasonOf(token)).toBe('run-token-ended');
  // Nor does another poll for the same state make it anew, however long after.
  home.advance(backMs + 25 * HOUR);
  expect(await mint(worker)).toBe(token);
  await setState('PENDING', worker);
  expect(await reasonOf(token)).toBe('run-token-ended');
});

it('a valid one stays valid if the clock is put back', async () => {
  const token = await live(await etl());
  home.putClock(-DAY);
  expect(await reasonOf(token)).toBe('ok');
});

it('one of a run that another worker has taken over, or of a removed run, stays ended', async () => {
  const [worker, other] = [await etl(), await etl('b')];
  const first = await live(worker);
  const second = await live(other);
  home.putClock(-2 * SECOND);
  expect([await reasonOf(first), await reasonOf(second)]).toEqual(['run-token-ended', 'ok']);
  prefectSays = null;
  expect(await reasonOf(second)).toBe('run-token-ended');
  prefectSays = { state: { type: 'RUNNING' } };
  home.putClock(-2 * SECOND);
  expect(await reasonOf(second)).toBe('run-token-ended');
});

it.each([
  ['one of them', () => home.store.accessTokens.revoke('at1')],
  ['all of them', () => home.store.accessTokens.revokeOf('ci', 'job')],
])('one of a worker whose access tokens were revoked, %s, stays ended', async (_which, revoke) => {
  const token = await live(ci());
  const identity = { idp: 'ci', subject: 's', name: 'job', kind: 'service', groups: [], claims: {} } as const;
  await home.store.accessTokens.create({ id: 'at1', hash: 'h', audience: null, chain: null, identity, trust: 't', proof: 'p', expiresMs: home.clock() + HOUR });
  expect(await reasonOf(token)).toBe('ok');
  await revoke();
  home.putClock(-2 * SECOND);
  expect(await reasonOf(token)).toBe('run-token-ended');
});

it('the minute after a run is at most a little longer, whatever the clock does, and a small correction does not shorten it', async () => {
  const worker = await etl();
  const token = await live(worker);
  await setState('COMPLETED', worker);
  home.putClock(-5 * SECOND);
  expect(await reasonOf(token)).toBe('ok');
  home.putClock(-SECOND);
  expect(await reasonOf(token)).toBe('run-token-ended');
  home.advance(6 * SECOND);
  expect(await reasonOf(token)).toBe('ok');
  home.advance(60 * SECOND);
  expect(await reasonOf(token)).toBe('run-token-ended');
  home.putClock(-HOUR);
  expect(await reasonOf(token)).toBe('run-token-ended');
});

it('the rest of its minute ends with the next attempt, also if the minute was over', async () => {
  const worker = await etl();
  const token = await live(worker);
  await setState('FAILED', worker);
  home.advance(61 * SECOND);
  await setState('SCHEDULED', worker);
  home.putClock(-30 * SECOND);
  expect(await reasonOf(token)).toBe('run-token-ended');
});

it('the last one becomes valid, although the clock was put back between', async () => {
  const worker = await etl();
  const former = await mint(worker, 's1');
  home.putClock(-2 * SECOND);
  const latter = await mint(worker, 's2');
  await setState('PENDING', worker);
  expect([await reasonOf(former), await reasonOf(latter)]).toEqual(['run-token-not-live', 'ok']);
});

it('the last token of a run is the valid one, for any worker and any beginning', async () => {
  const [worker, other] = [await etl(), await etl('b')];
  await mint(worker);
  await live(other);
  home.putClock(-HOUR);
  await setState('PENDING', worker);
  expect(await home.store.runTokens.lastOf(RUN)).toMatchObject({ worker: 'token:etl', endedMs: null });
});
