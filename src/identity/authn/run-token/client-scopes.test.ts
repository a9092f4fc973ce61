// A login of the command line that was let do some things only, used as a worker: the runs that it begins are let do no more.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CLIENT_SCOPES, type ClientScope } from '../../../contract/client-scopes.ts';
import type { Principal } from '../../../contract/principal.ts';
import { everywhere } from '../../../contract/scope.ts';
import { anEdgeInput } from '../inputs.fixture.ts';
import { openTestStore, type TestStore } from '../store.fixture.ts';
import { openRunTokens } from './open.ts';

const RUN = '11111111-1111-4111-8111-111111111111';
const ALICE: Principal = {
  ...{ id: 'alice@local', kind: 'user', idp: 'local', roles: ['admin'], grants: everywhere(['admin']), groups: [], attributes: {}, onBehalfOf: [] },
};

let home: TestStore;
beforeEach(async () => {
  home = await openTestStore();
});
afterEach(() => home.close());

function room(principal = ALICE) {
  return openRunTokens({
    store: home.store,
    config: { identityProviders: [{ id: 'local', type: 'accounts' }], roles: [], agents: [] },
    runTokenKey: Buffer.alloc(32, 7),
    clock: home.clock,
    steady: home.steady,
    standing: async () => ({ ok: true, principal, untilMs: home.clock() + 600_000, endsMs: home.clock() + 600_000 }),
    lookup: async () => ({ state: { type: 'RUNNING' } }),
    mayPoll: (role) => role === 'admin',
    sync: async () => undefined,
    log: { warn: () => undefined },
  });
}

async function logIn(scopes: readonly ClientScope[]): Promise<string> {
  const { accounts, sessions, deviceCodes } = home.store;
  const expiresMs = home.clock() + 3_600_000;
  await accounts.create({ id: 'a', name: 'alice', roles: ['admin'], password: 'phc' });
  await sessions.create({ id: 's', account: { id: 'a', password: 'phc' }, expiresMs });
  const common = { clientId: 'lictor-cli', scopes, audience: 'api' };
  await deviceCodes.create({ ...common, id: 'd', hash: 'h', userHash: 'u', openid: false, address: '192.0.2.1', userAgent: '' });
  const grant = { ...common, id: 'g', accountId: 'a', identityId: null, sessionId: null, allowedIn: 's', refreshAfterMs: null, expiresMs };
  expect(await deviceCodes.decide('d', grant)).toBe(true);
  return 'login:g';
}

/** The token of a run that such a login has begun. */
async function beginRun(scopes: readonly ClientScope[]): Promise<string> {
  const credential = { id: await logIn(scopes), carrier: 'authorization', expiresAtMs: null, sessionId: null, alsoPresented: [], scopes } as const;
  const worker = { principal: ALICE, credential };
  const { desk } = room();
  const minted = await desk.mint(worker, [{ flowRunId: RUN, deploymentId: null, pool: 'p', stateId: 's1', onBehalfOf: [] }]);
  await desk.stateSet({ flowRunId: RUN, type: 'PENDING', accepted: true, by: worker });
  return minted.get(RUN) ?? '';
}

it.each<[string, readonly ClientScope[]]>([
  ['starting and steering runs', ['prefect:run']],
  ['everything', CLIENT_SCOPES],
])('that was let do %s', async (_what, scopes) => {
  const token = await beginRun(scopes);
  expect(await room().kind.verify(token, 'authorization', anEdgeInput({}))).toMatchObject({
    ok: true,
    principal: { id: `run:${RUN}`, grants: [{ role: 'run', scope: null }] },
    credential: { scopes },
  });
});

it('is locked by a lock on the present name of its person, and by one on the former name', async () => {
  const token = await beginRun(CLIENT_SCOPES);
  const verify = () => room({ ...ALICE, id: 'alice.two@local' }).kind.verify(token, 'authorization', anEdgeInput({}));
  expect(await verify()).toMatchObject({ ok: true });
  for (const value of ['alice.two@local', 'alice@local']) {
    await home.store.locks.put({ kind: 'principal', value, why: 'left', by: 'local:root', expiresMs: null });
    expect(await verify()).toMatchObject({ ok: false, reason: 'locked' });
    await home.store.locks.remove({ kind: 'principal', value });
  }
});
