// Agents: who they are by each credential, and how they end with their sponsor.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agent, Config, JwtProvider, OidcProvider } from '../../../config/config.ts';
import { NOWHERE } from '../../../contract/scope.ts';
import { wordOf } from '../access-token/trust.ts';
import { type Authentication, createAuthenticator } from '../authenticator.ts';
import { identityPrincipal } from '../identity/principal.ts';
import { anEdgeInput } from '../inputs.fixture.ts';
import { createRoleBook } from '../roles.ts';
import { openTestStore, type TestStore } from '../store.fixture.ts';
import { anAgent } from './agent.fixture.ts';
import { SPONSOR_SEEN_MS } from './sponsor.ts';

const DAY = 86_400_000;
const CORP: OidcProvider = {
  ...{ id: 'corp', type: 'oidc', issuer: 'https://idp.example', clientId: 'lictor', clientSecret: null, scopes: [], groupsClaim: 'groups', caFile: null },
};
const CI: JwtProvider = {
  ...{ id: 'ci', type: 'jwt', issuer: 'https://ci.example', audiences: ['lictor'], jwksUri: null, require: {}, principalClaim: 'sub', caFile: null },
};
const ALICE = { idp: 'corp', subject: 's-1', name: 'alice', kind: 'user', groups: ['leads'], claims: {} } as const;
const JOB = { idp: 'ci', subject: 'job', name: 'job', kind: 'service', groups: [], claims: { sub: 'job', repository: 'acme/etl' } } as const;
const SCOPE = { ...NOWHERE, deployments: ['etl/nightly'] };

const agent = (changes: Partial<Agent> = {}) => anAgent({ grants: [{ role: 'operator', scope: SCOPE }], ...changes });

function configOf(agents: readonly Agent[]): Pick<Config, 'identityProviders' | 'roles' | 'sessions' | 'agents'> {
  return {
    agents,
    identityProviders: [{ id: 'local', type: 'accounts' }, CORP, CI],
    roles: [
      { role: 'admin', members: ['token:copilot', 'claim:repository=acme/*@ci'], scope: null },
      { role: 'viewer', members: ['group:leads@corp'], scope: null },
    ],
    sessions: { idleSeconds: 60, absoluteSeconds: 60 },
  };
}

let home: TestStore;
beforeEach(async () => {
  home = await openTestStore();
  await home.store.accounts.create({ id: 'a-1', name: 'alice', roles: ['deployer'], password: 'phc' });
});
afterEach(() => home.close());

async function byToken(agents: readonly Agent[], name = 'copilot'): Promise<Authentication> {
  const known = await home.store.tokens.byName(name);
  const { text } = known === undefined ? await home.token({ name, roles: ['admin'] }) : await home.rotate(known.id, 0);
  return authenticate(agents, text);
}

function authenticate(agents: readonly Agent[], text: string): Promise<Authentication> {
  const config = configOf(agents);
  const job = {
    recognises: (given: string) => given === 'job',
    verify: async (): Promise<Authentication> => ({
      ok: true,
      principal: identityPrincipal(JOB, createRoleBook(config.roles)),
      credential: { id: 'jwt:1', carrier: 'authorization', expiresAtMs: home.clock() + 1000, sessionId: null, alsoPresented: [] },
    }),
  };
  const { store, clock, steady } = home;
  return createAuthenticator({ store, config, clock, steady, verifiers: [job] }).authenticate(anEdgeInput({ authorization: `Bearer ${text}` }));
}

const reason = (answer: Authentication) => (answer.ok ? 'ok' : answer.reason);

describe('the service token of an agent', () => {
  it('is the agent, with its roles alone, for its sponsor and within the rights of the sponsor', async () => {
    const answer = await byToken([agent()]);
    expect(answer).toMatchObject({ ok: true, credential: { expiresAtMs: null, alsoPresented: [] } });
    expect(answer.ok && answer.principal).toMatchObject({
      ...{ id: 'agent:copilot', kind: 'agent', idp: null, roles: ['operator'], grants: [{ role: 'operator', scope: SCOPE }] },
      ...{ onBehalfOf: ['alice@local'], limitedBy: [{ id: 'alice@local', kind: 'user', roles: ['deployer'] }] },
    });
  });

  it('has no rights of the token itself', async () => {
    const answer = await byToken([agent()]);
    expect(answer.ok && answer.principal.roles).not.toContain('admin');
  });

  it.each([
    ['another token', 'other', [agent()]],
    ['no agent of this name', 'copilot', []],
    ['an agent with another credential', 'copilot', [agent({ credential: { kind: 'client', id: 'desktop' } })]],
  ])('is a service token with its own roles: %s', async (_why, name, agents) => {
    expect(await byToken(agents, name)).toMatchObject({ ok: true, principal: { id: `token:${name}`, kind: 'service', roles: ['admin'] } });
  });
});

describe('a workload', () => {
  const BY_CLAIM = agent({ credential: { kind: 'claim', key: 'repository', pattern: 'acme/*', idp: 'ci' } });

  it('is the agent that its claims match, until its credential expires', async () => {
    const answer = await authenticate([BY_CLAIM], 'job');
    expect(answer).toMatchObject({ ok: true, principal: { id: 'agent:copilot', roles: ['operator'] }, credential: { expiresAtMs: home.clock() + 1000 } });
  });

  it.each([
    ['other claims', { kind: 'claim', key: 'repository', pattern: 'other/*', idp: 'ci' }],
    ['another provider', { kind: 'claim', key: 'repository', pattern: 'acme/*', idp: 'corp' }],
    ['no such claim', { kind: 'claim', key: 'constructor', pattern: '*', idp: 'ci' }],
  ] as const)('is itself: %s', async (_why, credential) => {
    expect(await authenticate([agent({ credential })], 'job')).toMatchObject({ ok: true, principal: { id: 'job@ci', roles: ['admin'] } });
  });

  it('is refused when it matches two agents', async () => {
    const second = agent({ name: 'second', credential: { kind: 'claim', key: 'sub', pattern: 'job', idp: 'ci' } });
    expect(await authenticate([BY_CLAIM, second], 'job')).toMatchObject({ ok: false, reason: 'agent-ambiguous', proven: { principal: { grants: [] } } });
  });
});

describe('a lock', () => {
  it.each(['agent:copilot', 'token:copilot', 'alice@local'])('on %s holds on the agent', async (value) => {
    await home.store.locks.put({ kind: 'principal', value, why: '', by: 'x', expiresMs: null });
    expect(await byToken([agent()])).toMatchObject({ ok: false, reason: 'locked', proven: { principal: { id: 'agent:copilot' } } });
  });

  it('on the provider of its workload holds on the agent', async () => {
    await home.store.locks.put({ kind: 'idp', value: 'ci', why: '', by: 'x', expiresMs: null });
    expect(reason(await authenticate([agent({ credential: { kind: 'claim', key: 'sub', pattern: 'job', idp: 'ci' } })], 'job'))).toBe('locked');
  });

  it('on another person does not', async () => {
    await home.store.locks.put({ kind: 'principal', value: 'bob@local', why: '', by: 'x', expiresMs: null });
    expect(reason(await byToken([agent()]))).toBe('ok');
  });
});

describe('a sponsor with an account', () => {
  it('ends the agent when the account is removed', async () => {
    expect(reason(await byToken([agent()]))).toBe('ok');
    await home.store.accounts.remove('alice');
    expect(await byToken([agent()])).toMatchObject({
      ok: false,
      reason: 'agent-sponsor-ended',
      proven: { principal: { id: 'agent:copilot', grants: [], onBehalfOf: ['alice@local'] } },
    });
  });

  it('ends the agent when the account expires', async () => {
    const expiresMs = home.clock() + DAY;
    await home.store.accounts.create({ id: 'a-2', name: 'eve', roles: ['viewer'], password: 'phc', expiresMs });
    const agents = [agent({ sponsor: { name: 'eve', idp: 'local' } })];
    expect(await byToken(agents)).toMatchObject({ ok: true, credential: { expiresAtMs: expiresMs } });
    home.advance(DAY);
    expect(reason(await byToken(agents))).toBe('agent-sponsor-ended');
  });

  it('must have a role', async () => {
    await home.store.accounts.create({ id: 'a-3', name: 'bob', roles: [], password: 'phc' });
    expect(reason(await byToken([agent({ sponsor: { name: 'bob', idp: 'local' } })]))).toBe('agent-sponsor-ended');
  });
});

describe('a sponsor of a provider', () => {
  const AGENTS = [agent({ sponsor: { name: 'alice', idp: 'corp' } })];

  it('must have logged in', async () => {
    expect(reason(await byToken(AGENTS))).toBe('agent-sponsor-ended');
    await home.store.identities.put(ALICE, wordOf(CORP));
    expect(await byToken(AGENTS)).toMatchObject({ ok: true, principal: { onBehalfOf: ['alice@corp'], limitedBy: [{ roles: ['viewer'] }] } });
  });

  it('ends the agent 30 days after the last login', async () => {
    await home.store.identities.put(ALICE, wordOf(CORP));
    const untilMs = home.clock() + SPONSOR_SEEN_MS;
    home.advance(SPONSOR_SEEN_MS - 1);
    expect(await byToken(AGENTS)).toMatchObject({ ok: true, credential: { expiresAtMs: untilMs } });
    home.advance(1);
    expect(reason(await byToken(AGENTS))).toBe('agent-sponsor-ended');
    await home.store.identities.put(ALICE, wordOf(CORP));
    expect(reason(await byToken(AGENTS))).toBe('ok');
  });

  it('ends the agent when the provider refuses to confirm the person, until the next login', async () => {
    const id = (await home.store.identities.put(ALICE, wordOf(CORP))) ?? '';
    const before = await home.store.changeNumber();
    await home.store.identities.setRefused(id);
    expect(await home.store.changeNumber()).toBeGreaterThan(before);
    expect(reason(await byToken(AGENTS))).toBe('agent-sponsor-ended');
    await home.store.identities.put(ALICE, wordOf(CORP));
    expect(reason(await byToken(AGENTS))).toBe('ok');
  });

  it('ends the agent when an administrator forgets the person', async () => {
    await home.store.identities.put(ALICE, wordOf(CORP));
    await home.store.identities.forget('corp', 'alice');
    expect(reason(await byToken(AGENTS))).toBe('agent-sponsor-ended');
  });

  it('is not the person of the same name at another provider with this id', async () => {
    await home.store.identities.put(ALICE, wordOf({ ...CORP, issuer: 'https://other.example' }));
    expect(reason(await byToken(AGENTS))).toBe('agent-sponsor-ended');
  });

  it('must have a role', async () => {
    await home.store.identities.put({ ...ALICE, groups: [] }, wordOf(CORP));
    expect(reason(await byToken(AGENTS))).toBe('agent-sponsor-ended');
  });
});
