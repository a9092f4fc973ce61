import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agent, RoleBinding } from '../../../config/config.ts';
import type { JsonValue } from '../../../contract/json/tree.ts';
import type { Principal } from '../../../contract/principal.ts';
import { everywhere, type Grant, NOWHERE } from '../../../contract/scope.ts';
import { UpstreamError } from '../../../prefect/client/upstream-error.ts';
import { anAgent } from '../agent/agent.fixture.ts';
import { createAuthenticator } from '../authenticator.ts';
import { anEdgeInput } from '../inputs.fixture.ts';
import { openTestStore, type TestStore } from '../store.fixture.ts';
import { openRunTokens, type RunTokenDesk } from './open.ts';
import type { Worker } from './worker.ts';

const RUN = '11111111-1111-4111-8111-111111111111';
const KEY = Buffer.alloc(32, 7);
const MINUTE = 60_000;
const IDP = { id: 'ci', type: 'jwt', issuer: 'https://ci', audiences: ['lictor'], require: {} } as never;

let home: TestStore;
let prefectSays: JsonValue | null | Error;
let synced: number;
let providers: readonly never[];
let bindings: readonly RoleBinding[];
let agents: readonly Agent[];

beforeEach(async () => {
  home = await openTestStore();
  prefectSays = { state: { type: 'RUNNING' } };
  synced = 0;
  providers = [IDP];
  bindings = [];
  agents = [];
});
afterEach(() => home.close());

function room() {
  return openRunTokens({
    store: home.store,
    config: { identityProviders: providers, roles: bindings, agents },
    runTokenKey: KEY,
    clock: home.clock,
    steady: home.steady,
    standing: async () => ({ ok: false, reason: 'login-ended' }),
    lookup: async () => {
      if (prefectSays instanceof Error) throw prefectSays;
      return prefectSays;
    },
    mayPoll: (role) => role === 'worker',
    sync: async () => {
      synced += 1;
    },
    log: { warn: () => undefined },
  });
}

function workerOf(principal: Partial<Principal>, credentialId: string, grants: readonly Grant[] = everywhere(['worker'])): Worker {
  const whole: Principal = { id: 'token:etl', kind: 'worker', idp: null, roles: ['worker'], grants, groups: [], attributes: {}, onBehalfOf: [], ...principal };
  return { principal: whole, credential: { id: credentialId, carrier: 'authorization', expiresAtMs: null, sessionId: null, alsoPresented: [] } };
}

async function etl(): Promise<Worker> {
  return workerOf({}, (await home.token()).id);
}

async function mint(desk: RunTokenDesk, worker: Worker, stateId = 's1', onBehalfOf: readonly string[] = ['alice@local']): Promise<string> {
  const token = (await desk.mint(worker, [{ flowRunId: RUN, deploymentId: 'd', pool: 'p', stateId, onBehalfOf }])).get(RUN);
  if (token === undefined) throw new Error('no token');
  return token;
}

const stateChange = (type: string, by: Worker, accepted = true) => ({ flowRunId: RUN, type, accepted, by });

async function reasonOf(text: string, address = '192.0.2.1'): Promise<string> {
  const verdict = await room().kind.verify(text, 'authorization', anEdgeInput({ address }));
  return verdict.ok ? 'ok' : verdict.reason;
}

/** Polled and begun. */
async function live(worker: Worker): Promise<string> {
  const { desk } = room();
  const token = await mint(desk, worker);
  await desk.stateSet(stateChange('PENDING', worker));
  return token;
}

describe('the text', () => {
  it('is the same at every poll, and over a restart; it differs for another state, worker or key', async () => {
    const worker = await etl();
    const token = await mint(room().desk, worker);
    expect(token).toMatch(/^lcf_[0-9a-z]{68}$/);
    expect(await mint(room().desk, worker)).toBe(token);
    expect(await mint(room().desk, worker, 's2')).not.toBe(token);
    expect(await mint(room().desk, workerOf({ id: 'token:b' }, (await home.token({ name: 'b' })).id))).not.toBe(token);
  });

  it('is valid at the API, and not at the interface for agents', async () => {
    const token = await live(await etl());
    expect(await reasonOf(token)).toBe('ok');
    const verdict = await room().kind.verify(token, 'authorization', anEdgeInput({ audience: 'mcp' }));
    expect(verdict).toMatchObject({ ok: false, reason: 'token-audience' });
  });

  it('is not in the store', async () => {
    const token = await live(await etl());
    const { readdirSync, readFileSync } = await import('node:fs');
    for (const file of readdirSync(home.directory))
      expect(readFileSync(`${home.directory}/${file}`).toString('latin1'), file).not.toContain(token.slice(14, 60));
  });

  it('is only for workers: not for a browser, a run, or a role that may not poll', async () => {
    const given = [{ flowRunId: RUN, deploymentId: null, pool: 'p', stateId: 's', onBehalfOf: [] }];
    const minted = (worker: Worker) => room().desk.mint(worker, given);
    const { principal, credential } = await etl();
    expect((await minted({ principal, credential })).size).toBe(1);
    expect((await minted({ principal, credential: { ...credential, sessionId: 's' } })).size).toBe(0);
    expect((await minted({ principal: { ...principal, kind: 'run', id: `run:${RUN}` }, credential })).size).toBe(0);
    expect((await minted({ principal: { ...principal, grants: everywhere(['viewer']) }, credential })).size).toBe(0);
    expect((await minted({ principal: { ...principal, idp: 'gone', id: 'x@gone' }, credential })).size).toBe(0);
    expect((await minted({ principal: { ...principal, limitedBy: [principal] }, credential })).size).toBe(0);
  });
});

describe('the principal', () => {
  it("is the run, on behalf of those who started it; its rights are the worker's for runs", async () => {
    const scope = { ...NOWHERE, workPools: ['p'] };
    bindings = [{ role: 'worker', scope, members: ['token:etl'] }];
    const { id } = await home.token({ roles: ['viewer'] });
    const token = await live(workerOf({}, id, [{ role: 'worker', scope }]));
    const verdict = await room().kind.verify(token, 'authorization', anEdgeInput({}));
    expect(verdict).toMatchObject({
      ok: true,
      principal: {
        id: `run:${RUN}`,
        kind: 'run',
        // Not the viewer's rights on everything.
        grants: [{ role: 'run', scope }],
        onBehalfOf: ['alice@local'],
        attributes: { flow_run_id: RUN, deployment: 'd', pool: 'p', worker: 'token:etl' },
      },
    });
  });
});

describe('its life', () => {
  it('begins only with the accepted PENDING of the same worker', async () => {
    const [worker, other] = [await etl(), workerOf({ id: 'token:b' }, (await home.token({ name: 'b' })).id)];
    const { desk } = room();
    const token = await mint(desk, worker);
    await mint(desk, other);
    expect(await reasonOf(token)).toBe('run-token-not-live');
    await desk.stateSet(stateChange('PENDING', worker, false));
    await desk.stateSet(stateChange('RUNNING', worker));
    await desk.stateSet(stateChange('PENDING', other));
    expect(await reasonOf(token)).toBe('run-token-not-live');
    await desk.stateSet(stateChange('PENDING', worker));
    expect(await reasonOf(token)).toBe('ok');
    expect(await reasonOf(`${token}x`)).toBe('credential-malformed');
  });

  it('ends a minute after the terminal state, not before', async () => {
    const worker = await etl();
    const token = await live(worker);
    await room().desk.stateSet(stateChange('COMPLETED', worker));
    home.advance(MINUTE - 1);
    expect(await reasonOf(token)).toBe('ok');
    home.advance(1);
    expect(await reasonOf(token)).toBe('run-token-ended');
  });

  it('no decision on it is valid beyond its end', async () => {
    const worker = await etl();
    const token = await live(worker);
    await room().desk.stateSet(stateChange('FAILED', worker));
    home.advance(MINUTE - 5000);
    expect(await room().kind.verify(token, 'authorization', anEdgeInput({}))).toMatchObject({ ok: true, credential: { expiresAtMs: home.clock() + 5000 } });
  });

  it('ends when Prefect itself has ended the run, and when the run is removed', async () => {
    const token = await live(await etl());
    const at = new Date(home.clock()).toISOString();
    prefectSays = { state: { type: 'CRASHED', timestamp: at } };
    expect(await reasonOf(token)).toBe('ok');
    home.advance(MINUTE);
    expect(await reasonOf(token)).toBe('run-token-ended');
    const { desk } = room();
    const worker = workerOf({ id: 'token:b' }, (await home.token({ name: 'b' })).id);
    const next = await mint(desk, worker, 's9');
    await desk.stateSet(stateChange('PENDING', worker));
    prefectSays = null;
    expect(await reasonOf(next)).toBe('run-token-ended');
  });

  it('continues while Prefect does not answer, and as long as the run, but not a day without a check', async () => {
    const token = await live(await etl());
    for (let hour = 0; hour < 60; hour += 1) {
      home.advance(60 * MINUTE);
      expect(await reasonOf(token)).toBe('ok');
    }
    prefectSays = new UpstreamError('upstream-unavailable', { forwarded: false });
    home.advance(23 * 60 * MINUTE);
    expect(await reasonOf(token)).toBe('ok');
    home.advance(60 * MINUTE);
    expect(await reasonOf(token)).toBe('run-token-ended');
  });

  it('stays expired after its day: neither its use nor another poll renews it', async () => {
    const worker = await etl();
    const token = await live(worker);
    home.advance(24 * 60 * MINUTE);
    for (let times = 0; times < 3; times += 1) expect(await reasonOf(token)).toBe('run-token-ended');
    expect(await mint(room().desk, worker)).toBe(token);
    expect(await reasonOf(token)).toBe('run-token-ended');
    // One that is shown in time lives another day.
    const { desk } = room();
    const next = await mint(desk, worker, 's2');
    await desk.stateSet(stateChange('PENDING', worker));
    for (let day = 0; day < 3; day += 1) {
      home.advance(24 * 60 * MINUTE - 1);
      expect(await reasonOf(next)).toBe('ok');
    }
  });

  it('a retry ends it at once; the next attempt has another one', async () => {
    const worker = await etl();
    const token = await live(worker);
    const { desk } = room();
    await desk.stateSet(stateChange('FAILED', worker));
    expect(await reasonOf(token)).toBe('ok');
    await desk.stateSet(stateChange('SCHEDULED', worker));
    expect(synced).toBe(1);
    expect(await reasonOf(token)).toBe('run-token-ended');
    const second = await mint(desk, worker, 's2');
    expect(await reasonOf(second)).toBe('run-token-not-live');
    await desk.stateSet(stateChange('PENDING', worker));
    expect(await reasonOf(second)).toBe('ok');
    expect(await reasonOf(token)).toBe('run-token-ended');
  });

  it('a run that tries again in its own process keeps it', async () => {
    const worker = await etl();
    const token = await live(worker);
    const run = workerOf({ id: `run:${RUN}`, kind: 'run' }, 'x');
    await room().desk.stateSet(stateChange('SCHEDULED', run, false));
    await room().desk.stateSet(stateChange('SCHEDULED', run));
    expect(await reasonOf(token)).toBe('ok');
  });

  it('another worker that begins the run takes it over', async () => {
    const [worker, other] = [await etl(), workerOf({ id: 'token:b' }, (await home.token({ name: 'b' })).id)];
    const { desk } = room();
    const [first, second] = [await mint(desk, worker), await mint(desk, other)];
    await desk.stateSet(stateChange('PENDING', worker));
    const before = await home.store.changeNumber();
    await desk.stateSet(stateChange('PENDING', other));
    expect(await home.store.changeNumber()).toBe(before + 1);
    expect([await reasonOf(first), await reasonOf(second)]).toEqual(['run-token-ended', 'ok']);
  });
});

describe('its worker', () => {
  it("a service token: rotation keeps it, revocation and the last secret's end do not; its networks hold", async () => {
    const { id } = await home.token({ lifetimeMs: 10 * MINUTE, cidrs: ['192.0.2.0/24'] });
    const token = await live(workerOf({}, id));
    expect(await reasonOf(token, '198.51.100.1')).toBe('credential-address');
    await home.rotate(id, MINUTE);
    home.advance(2 * MINUTE);
    expect(await reasonOf(token)).toBe('ok');
    home.advance(9 * MINUTE);
    expect(await reasonOf(token)).toBe('run-token-orphaned');
    const { id: doomed } = await home.token({ name: 'b' });
    const worker = workerOf({ id: 'token:b' }, doomed);
    const { desk } = room();
    const other = await mint(desk, worker, 's3');
    await desk.stateSet(stateChange('PENDING', worker));
    expect(await reasonOf(other)).toBe('ok');
    await home.store.tokens.revoke(doomed);
    expect(await reasonOf(other)).toBe('run-token-orphaned');
  });

  it('a lock on it, or on its provider, locks its runs out', async () => {
    const token = await live(await etl());
    await home.store.locks.put({ kind: 'principal', value: 'token:etl', why: '', by: 'x', expiresMs: null });
    expect(await reasonOf(token)).toBe('locked');
    await home.store.locks.remove({ kind: 'principal', value: 'token:etl' });
    expect(await reasonOf(token)).toBe('ok');
  });

  it('the runs of a service token end when it becomes the credential of an agent', async () => {
    const token = await live(await etl());
    agents = [anAgent({ name: 'other' })];
    expect(await reasonOf(token)).toBe('ok');
    agents = [anAgent({ name: 'etl' })];
    expect(await reasonOf(token)).toBe('run-token-orphaned');
  });

  it('a lock on an agent locks out the runs that it started', async () => {
    const worker = await etl();
    const { desk } = room();
    const token = await mint(desk, worker, 's1', ['agent:copilot', 'alice@local']);
    await desk.stateSet(stateChange('PENDING', worker));
    const config = { identityProviders: [], roles: [], agents: [], sessions: { idleSeconds: 60, absoluteSeconds: 60 } };
    const authenticator = createAuthenticator({ store: home.store, config, clock: home.clock, steady: home.clock, verifiers: [room().kind] });
    const answer = async () => {
      const verdict = await authenticator.authenticate(anEdgeInput({ authorization: `Bearer ${token}` }));
      return verdict.ok ? 'ok' : verdict.reason;
    };
    expect(await answer()).toBe('ok');
    for (const value of ['agent:copilot', 'alice@local']) {
      await home.store.locks.put({ kind: 'principal', value, why: '', by: 'x', expiresMs: null });
      expect(await answer()).toBe('locked');
      await home.store.locks.remove({ kind: 'principal', value });
    }
  });

  it('a lock on a person locks out the runs that act for them by a former name', async () => {
    const config = { identityProviders: [{ id: 'corp', type: 'oidc' }] as never, roles: [], agents: [], sessions: { idleSeconds: 60, absoluteSeconds: 60 } };
    const alice = { idp: 'corp', subject: 'sub-1', name: 'alice', kind: 'user', groups: [], claims: {} } as const;
    await home.store.identities.put(alice, 'its word');
    const worker = await etl();
    const { desk } = room();
    const token = await mint(desk, worker, 's1', ['alice@corp']);
    await desk.stateSet(stateChange('PENDING', worker));
    await home.store.identities.put({ ...alice, name: 'alicia' }, 'its word');
    const authenticator = createAuthenticator({ store: home.store, config, clock: home.clock, steady: home.clock, verifiers: [room().kind] });
    const answer = async () => {
      const verdict = await authenticator.authenticate(anEdgeInput({ authorization: `Bearer ${token}` }));
      return verdict.ok ? 'ok' : verdict.reason;
    };
    const on = (value: string) => ({ kind: 'principal', value, why: '', by: 'x', expiresMs: null }) as const;
    await home.store.locks.put(on('alice@elsewhere'));
    expect(await answer()).toBe('ok');
    await home.store.locks.put(on('alicia@corp'));
    expect(await answer()).toBe('locked');
    await home.store.locks.remove(on('alicia@corp'));
    expect(await answer()).toBe('ok');
  });

  describe('with short-lived credentials', () => {
    beforeEach(() => {
      bindings = [{ role: 'worker', scope: null, members: ['*@ci'] }];
    });
    const ci = (credentialId = 'jwt:1') => workerOf({ id: 'job@ci', idp: 'ci', kind: 'service' }, credentialId);

    it('is who it is, whichever credential it shows', async () => {
      const { desk } = room();
      const token = await mint(desk, ci('jwt:1'));
      expect(await mint(desk, ci('jwt:2'))).toBe(token);
      await desk.stateSet(stateChange('PENDING', ci('jwt:3')));
      expect(await reasonOf(token)).toBe('ok');
    });

    it('has the rights of the worker that began the run, not of an earlier one with the same name', async () => {
      const scope = { ...NOWHERE, workPools: ['dev'] };
      bindings = [
        { role: 'worker', scope: null, members: ['claim:ref=main@ci'] },
        { role: 'worker', scope, members: ['claim:ref=evil@ci'] },
      ];
      const of = (ref: string) => workerOf({ id: 'job@ci', idp: 'ci', kind: 'service', attributes: { ref } }, `jwt:${ref}`);
      const grantsOf = async (first: string, begins: string, stateId: string) => {
        const { desk } = room();
        await mint(desk, of(first), stateId);
        const token = await mint(desk, of(begins), stateId);
        await desk.stateSet(stateChange('PENDING', of(begins)));
        const verdict = await room().kind.verify(token, 'authorization', anEdgeInput({}));
        return verdict.ok ? verdict.principal.grants : verdict.reason;
      };
      expect(await grantsOf('main', 'evil', 's1')).toEqual([{ role: 'run', scope }]);
      expect(await grantsOf('evil', 'main', 's2')).toEqual([{ role: 'run', scope: null }]);
    });

    it('ends with the trust in its provider, with a lock, with its role and with the revocation of its access tokens', async () => {
      const token = await live(ci());
      await home.store.locks.put({ kind: 'idp', value: 'ci', why: '', by: 'x', expiresMs: null });
      expect(await reasonOf(token)).toBe('locked');
      await home.store.locks.remove({ kind: 'idp', value: 'ci' });
      expect(await reasonOf(token)).toBe('ok');
      providers = [{ ...(IDP as object), issuer: 'https://other' } as never];
      expect(await reasonOf(token)).toBe('run-token-orphaned');
      providers = [];
      expect(await reasonOf(token)).toBe('run-token-orphaned');
      providers = [IDP];
      bindings = [];
      agents = [];
      expect(await room().kind.verify(token, 'authorization', anEdgeInput({}))).toMatchObject({ ok: true, principal: { grants: [] } });
      bindings = [{ role: 'worker', scope: null, members: ['*@ci'] }];
      await home.store.accessTokens.revokeOf('ci', 'job');
      expect(await reasonOf(token)).toBe('run-token-ended');
    });
  });
});
