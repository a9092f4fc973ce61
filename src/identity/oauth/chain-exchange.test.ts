// The exchange with actor_token: chains of principals, on a real store. What ends a principal of a chain ends the tokens of the chain.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IdentityProvider, JwtProvider } from '../../config/config.ts';
import type { Identity } from '../../contract/identity.ts';
import type { Principal } from '../../contract/principal.ts';
import { everywhere } from '../../contract/scope.ts';
import { openAccess, type TestLogin } from '../authn/access-token/access.fixture.ts';
import { anAgent } from '../authn/agent/agent.fixture.ts';
import { createAgents } from '../authn/agent/agents.ts';
import { anEdgeInput } from '../authn/inputs.fixture.ts';
import { openTestStore, type TestStore } from '../authn/store.fixture.ts';
import type { Proof } from '../authn/subject-tokens.ts';
import { ACCESS_TOKEN_MS, ACCESS_TOKEN_TYPE } from './chain-exchange.ts';
import { isRefusal } from './issued.ts';
import { createTokenExchange } from './token-exchange.ts';

const PROVIDER: JwtProvider = {
  ...{ id: 'ci', type: 'jwt', issuer: 'https://tokens.example', audiences: ['lictor'] },
  ...{ jwksUri: null, require: {}, principalClaim: 'sub', caFile: null },
};
const CONFIG = {
  publicUrl: { origin: 'https://prefect.example', hostname: 'prefect.example', port: 443, secure: true, basePath: '' },
  identityProviders: [{ id: 'local', type: 'accounts' }, PROVIDER] as readonly IdentityProvider[],
  agents: [anAgent({ name: 'copilot', sponsor: { name: 'carol', idp: 'local' } })],
  roles: [
    { role: 'operator', members: ['user:alice@ci', 'user:bot@ci', 'user:job@ci', 'user:four@ci'], scope: null },
    { role: 'viewer', members: ['token:*'], scope: null },
  ],
  sessions: { idleSeconds: 1, absoluteSeconds: 1 },
};
const MCP = 'https://prefect.example/.lictor/mcp';
const ADDRESS = '192.0.2.1';
const DAVE: Principal = {
  ...{ id: 'dave@corp', kind: 'user', idp: 'corp', roles: ['operator'], grants: everywhere(['operator']) },
  ...{ groups: [], attributes: {}, onBehalfOf: [] },
};

let test: TestStore;
let logins: Map<string, TestLogin>;
/** How long the proofs of a name are valid; left out: they do not end. */
let ends: Map<string, number>;
beforeEach(async () => {
  test = await openTestStore();
  logins = new Map();
  ends = new Map();
});
afterEach(() => test.close());

/** The text of a proof is `KIND NAME`. */
async function prove(text: string): Promise<Proof> {
  const [kind, name = ''] = text.split(' ');
  if (kind !== 'user' && kind !== 'service') return { ok: false, reason: 'jwt-malformed' };
  const identity: Identity = { idp: 'ci', subject: name, name, kind, groups: [], claims: {} };
  return { ok: true, identity, provider: PROVIDER, expiresAtMs: ends.get(name) ?? null, credentialId: `jwt:${name}` };
}

const access = (config = CONFIG) => openAccess(test, config, logins);

function exchange(form: Readonly<Record<string, string>>, address = ADDRESS) {
  const { store, clock } = test;
  const grant = createTokenExchange({
    ...{ config: CONFIG, accessTokens: store.accessTokens, locks: store.locks, clock },
    ...{ ...access(), agents: createAgents({ store, config: CONFIG, clock }), proofs: new Map([['jwt', prove]]) },
  });
  return grant(new Map(Object.entries(form)), address);
}

const typeOf = (token: string) => (/^lc._/.test(token) ? ACCESS_TOKEN_TYPE : 'jwt');

function request(subject: string, actor: string, more: Readonly<Record<string, string>> = {}) {
  return { subject_token: subject, subject_token_type: typeOf(subject), actor_token: actor, actor_token_type: typeOf(actor), ...more };
}

async function answered(subject: string, actor: string, more: Readonly<Record<string, string>> = {}) {
  const issued = await exchange(request(subject, actor, more));
  if (!issued.ok) throw new Error(`${issued.reason} ${issued.detail ?? ''}`);
  const given = await issued.issue();
  if (isRefusal(given)) throw new Error(given.reason);
  return { issued, given, token: String(given['access_token']) };
}

const tokenFor = async (...given: Parameters<typeof answered>) => (await answered(...given)).token;

async function reasonOf(subject: string, actor: string, more: Readonly<Record<string, string>> = {}, address = ADDRESS): Promise<string> {
  const issued = await exchange(request(subject, actor, more), address);
  return issued.ok ? 'ok' : (issued.detail ?? issued.reason);
}

const shows = (token: string, { config = CONFIG, audience, address = ADDRESS }: { config?: typeof CONFIG; audience?: 'mcp'; address?: string } = {}) =>
  access(config).authenticator.authenticate(anEdgeInput({ authorization: `Bearer ${token}`, address, ...(audience !== undefined && { audience }) }));

async function stateOf(...given: Parameters<typeof shows>): Promise<string> {
  const shown = await shows(...given);
  return shown.ok ? 'ok' : shown.reason;
}

const login = (more: Partial<TestLogin['grant']> = {}, untilMs = test.clock() + 10 * ACCESS_TOKEN_MS): TestLogin => ({
  grant: { scopes: ['prefect:read', 'prefect:run'], audience: 'api', sessionId: null, ...more },
  standing: { ok: true, principal: DAVE, untilMs, endsMs: untilMs },
});

describe('an exchange with actor_token', () => {
  it('gives a token of the actor, which acts for the subject and has only the rights of both', async () => {
    const { given, issued, token } = await answered('user alice', 'service bot');
    expect(given).toMatchObject({ issued_token_type: ACCESS_TOKEN_TYPE, expires_in: 900, sub: 'alice@ci', act: { sub: 'bot@ci' } });
    expect(issued).toMatchObject({ principal: { id: 'bot@ci', onBehalfOf: ['alice@ci'] }, proofId: 'jwt:bot' });
    const shown = await shows(token);
    expect(shown).toMatchObject({ ok: true, principal: { id: 'bot@ci', kind: 'service', onBehalfOf: ['alice@ci'] } });
    expect(shown.ok && shown.principal.limitedBy).toMatchObject([{ id: 'alice@ci', kind: 'user', roles: ['operator'] }]);
  });

  it('gives chains of three actors, and no fourth', async () => {
    const one = await tokenFor('user alice', 'service bot');
    const two = await tokenFor(one, 'service job');
    const etl = await test.token({ name: 'etl' });
    const { token: three, given } = await answered(two, etl.text);
    expect(given).toMatchObject({ sub: 'alice@ci', act: { sub: 'token:etl', act: { sub: 'job@ci', act: { sub: 'bot@ci' } } } });
    const shown = await shows(three);
    expect(shown).toMatchObject({ ok: true, principal: { id: 'token:etl', onBehalfOf: ['job@ci', 'bot@ci', 'alice@ci'] } });
    expect(shown.ok && shown.principal.limitedBy).toMatchObject([{ id: 'job@ci', limitedBy: [{ id: 'bot@ci', limitedBy: [{ id: 'alice@ci' }] }] }]);
    expect(await exchange(request(three, 'service four'))).toMatchObject({
      ...{ ok: false, error: 'invalid_grant', reason: 'actor-chain-long', principalId: 'four@ci' },
      onBehalfOf: ['token:etl', 'job@ci', 'bot@ci', 'alice@ci'],
    });
  });

  it('lets no principal act for itself, near or far', async () => {
    expect(await reasonOf('service bot', 'service bot')).toBe('actor-repeated');
    const two = await tokenFor(await tokenFor('user alice', 'service bot'), 'service job');
    expect(await reasonOf(two, 'service bot')).toBe('actor-repeated');
    expect(await reasonOf(two, 'service four')).toBe('ok');
  });

  it.each([
    ['a person', 'user alice', 'user bot', 'actor_token must be of an agent or a workload.'],
    ['a principal without a role', 'user alice', 'service nobody', 'policy-default-deny'],
    ['no valid proof', 'user alice', 'nonsense', 'jwt-malformed'],
    ['another kind of token of Lictor', 'user alice', 'lcf_x', 'actor_token is no token of this gateway that is accepted here.'],
    ['an unknown token', 'user alice', `lca_${'0'.repeat(68)}`, 'credential-malformed'],
  ])('accepts no actor that is %s', async (_what, subject, actor, expected) => {
    expect(await reasonOf(subject, actor)).toBe(expected);
    expect(await reasonOf(subject, 'service bot')).toBe('ok');
  });

  it.each([
    ['without a role', 'user nobody', 'policy-default-deny'],
    ['without a valid proof', 'nonsense', 'jwt-malformed'],
    ['of a run', 'lcf_x', 'subject_token is no token of this gateway that is accepted here.'],
  ])('accepts no subject %s', async (_what, subject, expected) => {
    expect(await reasonOf(subject, 'service bot')).toBe(expected);
  });

  it('accepts a service token as actor alone, and only from its networks', async () => {
    const etl = await test.token({ name: 'etl', cidrs: ['198.51.100.0/24'] });
    expect(await reasonOf(etl.text, 'service bot')).toContain('subject_token is no token');
    expect(await reasonOf('user alice', etl.text)).toBe('credential-address');
    expect(await reasonOf('user alice', etl.text, {}, '198.51.100.7')).toBe('ok');
    const issued = await exchange(request('user alice', etl.text), '198.51.100.7');
    const given = issued.ok ? await issued.issue() : {};
    const token = String('access_token' in given ? given['access_token'] : '');
    expect(await stateOf(token, { address: '198.51.100.9' })).toBe('ok');
    expect(await stateOf(token)).toBe('credential-address');
  });

  it('accepts no actor that acts for another principal already', async () => {
    const plain = await exchange({ subject_token: 'service bot', subject_token_type: 'jwt' });
    const given = plain.ok ? await plain.issue() : {};
    const own = String('access_token' in given ? given['access_token'] : '');
    expect(await reasonOf('user alice', own)).toBe('ok');
    expect(await reasonOf('user alice', await tokenFor('user alice', 'service bot'))).toBe('actor_token must not act for another principal.');
  });

  it('needs both fields of each token, and takes no scope', async () => {
    const { actor_token_type: _, ...half } = request('user alice', 'service bot');
    expect(await exchange(half)).toMatchObject({ ok: false, detail: 'actor_token and actor_token_type are needed together.' });
    const scoped = request('user alice', 'service bot', { scope: 'prefect:read' });
    expect(await exchange(scoped)).toMatchObject({ ok: false, error: 'invalid_scope' });
  });

  it('lives no longer than 15 minutes, nor than any of its principals', async () => {
    expect((await answered('user alice', 'service bot')).given['expires_in']).toBe(900);
    ends.set('bot', test.clock() + 60_000);
    expect((await answered('user alice', 'service bot')).given['expires_in']).toBe(60);
    ends.set('alice', test.clock() + 30_000);
    expect((await answered('user alice', 'service bot')).given['expires_in']).toBe(30);
    const two = await answered(await tokenFor('user alice', 'service bot'), 'service job');
    expect(two.given['expires_in']).toBe(30);
    test.advance(30_000);
    expect(await stateOf(two.token)).toBe('credential-expired');
  });

  it('for a login has the scopes of its client, and the part of the gateway that the login is for', async () => {
    logins.set('g1', login());
    const token = await tokenFor('lcu_g1', 'service bot');
    expect(await shows(token)).toMatchObject({ ok: true, principal: { onBehalfOf: ['dave@corp'] }, credential: { scopes: ['prefect:read', 'prefect:run'] } });
    expect(await stateOf(token, { audience: 'mcp' })).toBe('token-audience');
    expect(await reasonOf('lcu_g1', 'service bot', { resource: MCP })).toBe('token-audience');
    logins.set('g2', login({ audience: 'mcp', scopes: ['prefect:run', 'prefect:write'] }));
    expect(await stateOf(await tokenFor('lcu_g2', 'service bot', { resource: MCP }), { audience: 'mcp' })).toBe('ok');
  });

  it('gives a token for the MCP endpoint alone, also without an actor', async () => {
    const token = await tokenFor('user alice', 'service bot', { resource: MCP });
    expect([await stateOf(token), await stateOf(token, { audience: 'mcp' })]).toEqual(['token-audience', 'ok']);
    const free = await tokenFor('user alice', 'service bot');
    expect([await stateOf(free), await stateOf(free, { audience: 'mcp' })]).toEqual(['ok', 'ok']);
    const plain = await exchange({ subject_token: 'service bot', subject_token_type: 'jwt', resource: MCP });
    const given = plain.ok ? await plain.issue() : {};
    expect(await stateOf(String('access_token' in given ? given['access_token'] : ''))).toBe('token-audience');
    for (const more of [{ resource: 'https://other.example' }, { resource: MCP, audience: 'https://prefect.example' }] as const)
      expect(await exchange(request('user alice', 'service bot', { ...more }))).toMatchObject({ ok: false, error: 'invalid_target' });
  });
});

describe('a token for a named resource of the API', () => {
  const API = 'https://prefect.example/api';

  it.each([{ resource: API }, { audience: 'https://prefect.example' }])('is valid at the API alone, also without an actor: %j', async (named) => {
    const chain = await tokenFor('user alice', 'service bot', named);
    const exchanged = await exchange({ subject_token: 'service bot', subject_token_type: 'jwt', ...named });
    const plain = exchanged.ok ? await exchanged.issue() : {};
    for (const token of [chain, String('access_token' in plain ? plain['access_token'] : '')])
      expect([await stateOf(token), await stateOf(token, { audience: 'mcp' })]).toEqual(['ok', 'token-audience']);
  });

  it('is no proof for a token that is valid at the MCP endpoint', async () => {
    const token = await tokenFor('user alice', 'service bot', { resource: API });
    expect(await reasonOf(token, 'service job', { resource: MCP })).toBe('token-audience');
    const next = await tokenFor(token, 'service job');
    expect([await stateOf(next), await stateOf(next, { audience: 'mcp' })]).toEqual(['ok', 'token-audience']);
  });
});

describe('an agent in a chain', () => {
  let copilot: string;
  beforeEach(async () => {
    await test.store.accounts.create({ id: 'a-1', name: 'carol', roles: ['deployer'], password: 'phc' });
    copilot = (await test.token({ name: 'copilot', roles: ['admin'] })).text;
  });

  it('is the actor, bounded by the subject and by its sponsor, and names both', async () => {
    const { token, given } = await answered('user alice', copilot);
    expect(given).toMatchObject({ sub: 'alice@ci', act: { sub: 'agent:copilot' } });
    const shown = await shows(token);
    expect(shown).toMatchObject({ ok: true, principal: { id: 'agent:copilot', kind: 'agent', roles: ['agent'], onBehalfOf: ['alice@ci', 'carol@local'] } });
    expect(shown.ok && shown.principal.limitedBy).toMatchObject([{ id: 'alice@ci' }, { id: 'carol@local', roles: ['deployer'] }]);
  });

  it('may act for its sponsor, who is in the chain once', async () => {
    logins.set('g1', { ...login(), standing: { ok: true, principal: { ...DAVE, id: 'carol@local' }, untilMs: test.clock() + 1000, endsMs: 0 } });
    expect(await shows(await tokenFor('lcu_g1', copilot))).toMatchObject({ ok: true, principal: { id: 'agent:copilot', onBehalfOf: ['carol@local'] } });
  });

  it('as the subject acts for its sponsor', async () => {
    const copilotPrincipal = { ...DAVE, id: 'agent:copilot', kind: 'agent', onBehalfOf: ['carol@local'], limitedBy: [{ ...DAVE, id: 'carol@local' }] } as const;
    logins.set('g1', { ...login(), standing: { ok: true, principal: copilotPrincipal, untilMs: test.clock() + 1000, endsMs: 0 } });
    const { given, token } = await answered('lcu_g1', 'service bot');
    expect(given).toMatchObject({ sub: 'carol@local', act: { sub: 'bot@ci', act: { sub: 'agent:copilot' } } });
    expect(await shows(token)).toMatchObject({ ok: true, principal: { id: 'bot@ci', onBehalfOf: ['agent:copilot', 'carol@local'] } });
    expect(await reasonOf('lcu_g1', copilot)).toBe('actor-repeated');
  });

  it.each([
    ['its sponsor has no account', () => test.store.accounts.remove('carol'), 'agent-sponsor-ended'],
    ['there is a lock on its sponsor', () => lockOn('carol@local'), 'locked'],
    ['there is a lock on the agent', () => lockOn('agent:copilot'), 'locked'],
    ['there is a lock on its service token', () => lockOn('token:copilot'), 'locked'],
  ])('ends when %s, also in the middle of a chain', async (_when, end, expected) => {
    const one = await tokenFor('user alice', copilot);
    const two = await tokenFor(one, 'service bot');
    expect([await stateOf(one), await stateOf(two)]).toEqual(['ok', 'ok']);
    await end();
    expect([await stateOf(one), await stateOf(two)]).toEqual([expected, expected]);
    expect(await reasonOf(one, 'service job')).toBe(expected);
  });
});

const lockOn = (value: string) => test.store.locks.put({ kind: 'principal', value, why: '', by: 'x', expiresMs: null, ofAccounts: false });

describe('the token of a chain ends', () => {
  const CHAIN = async () => tokenFor(await tokenFor('user alice', 'service bot'), 'service job');

  it.each(['alice@ci', 'bot@ci', 'job@ci'])('with a lock on %s', async (value) => {
    const token = await CHAIN();
    expect(await stateOf(token)).toBe('ok');
    await lockOn(value);
    expect(await stateOf(token)).toBe('locked');
    expect(await reasonOf(token, 'service four')).toBe('locked');
  });

  it.each(['alice', 'bot', 'job'])('with the tokens of %s@ci, which an administrator revokes', async (name) => {
    const token = await CHAIN();
    await test.store.accessTokens.revokeOf('ci', name);
    expect(await stateOf(token)).toBe('credential-revoked');
  });

  it('with the token that was its subject', async () => {
    const one = await tokenFor('user alice', 'service bot');
    const two = await tokenFor(one, 'service job');
    const three = await tokenFor(two, 'service four');
    expect(await stateOf(three)).toBe('ok');
    await test.store.accessTokens.revoke(one.slice(4, 14));
    expect([await stateOf(one), await stateOf(two), await stateOf(three)]).toEqual(Array(3).fill('credential-revoked'));
    expect(await reasonOf(two, 'service bot')).toBe('credential-revoked');
  });

  it('with the service token of its actor, over a rotation', async () => {
    const etl = await test.token({ name: 'etl' });
    const token = await tokenFor('user alice', etl.text);
    await test.rotate(etl.id, 0);
    expect(await stateOf(token)).toBe('ok');
    await test.store.tokens.revoke(etl.id);
    expect(await stateOf(token)).toBe('credential-revoked');
  });

  it('with the last secret of the service token of its actor', async () => {
    const etl = await test.token({ name: 'etl', lifetimeMs: 60_000 });
    const { token, given } = await answered('user alice', etl.text);
    expect(given['expires_in']).toBe(60);
    test.advance(60_000);
    expect(await stateOf(token)).toBe('credential-expired');
  });

  it('with the login of its subject, or a lock on the session behind it', async () => {
    logins.set('g1', login({ sessionId: 's1' }));
    const token = await tokenFor('lcu_g1', 'service bot');
    expect(await stateOf(token)).toBe('ok');
    await test.store.locks.put({ kind: 'session', value: 's1', why: '', by: 'x', expiresMs: null, ofAccounts: false });
    expect(await stateOf(token)).toBe('locked');
    await test.store.locks.remove({ kind: 'session', value: 's1' });
    logins.set('g1', { ...login(), standing: { ok: false, reason: 'login-ended' } });
    expect(await stateOf(token)).toBe('login-ended');
  });

  it('with the trust in a provider, and follows the roles of lictor.yaml', async () => {
    const token = await CHAIN();
    const changed = { ...CONFIG, identityProviders: [{ ...PROVIDER, audiences: ['other'] }] };
    expect(await stateOf(token, { config: changed })).toBe('credential-revoked');
    const less = { ...CONFIG, roles: [{ role: 'viewer', members: ['user:alice@ci'], scope: null }, ...CONFIG.roles.slice(1)] };
    const shown = await shows(token, { config: less });
    expect(shown).toMatchObject({ ok: true, principal: { id: 'job@ci', roles: [], limitedBy: [{ roles: [], limitedBy: [{ roles: ['viewer'] }] }] } });
  });
});
