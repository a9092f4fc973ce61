// The token endpoint with a token exchange behind it, on a real store.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agent, IdentityProvider, JwtProvider } from '../../config/config.ts';
import { LictorError } from '../../contract/error.ts';
import type { NewRecord } from '../../contract/record.ts';
import { openAccess } from '../authn/access-token/access.fixture.ts';
import { anAgent } from '../authn/agent/agent.fixture.ts';
import { createAgents } from '../authn/agent/agents.ts';
import { anEdgeInput } from '../authn/inputs.fixture.ts';
import { openTestStore, type TestStore } from '../authn/store.fixture.ts';
import type { Proof } from '../authn/subject-tokens.ts';
import { ACCESS_TOKEN_MS, GRANT_TYPE } from './chain-exchange.ts';
import { asksOutsideFor } from './server.ts';
import { createTokenEndpoint, TOKEN_LIMITS, type TokenAnswer } from './token-endpoint.ts';
import { createTokenExchange } from './token-exchange.ts';

const PROVIDER: JwtProvider = {
  id: 'ci',
  type: 'jwt',
  issuer: 'https://tokens.example',
  audiences: ['lictor'],
  jwksUri: null,
  require: {},
  principalClaim: 'sub',
  caFile: null,
};
const IDENTITY = { idp: 'ci', subject: 'repo:acme/etl', name: 'repo:acme/etl', kind: 'service', groups: [], claims: { repository: 'acme/etl' } } as const;
const CONFIG = {
  publicUrl: { origin: 'https://prefect.example', hostname: 'prefect.example', port: 443, secure: true, basePath: '' },
  identityProviders: [PROVIDER] as readonly IdentityProvider[],
  roles: [{ role: 'deployer', members: ['claim:repository=acme/*@ci'], scope: null }],
  sessions: { idleSeconds: 1, absoluteSeconds: 1 },
  agents: [] as readonly Agent[],
};
const FORM = { grant_type: GRANT_TYPE, subject_token: 'proof', subject_token_type: 'jwt' };
/** Only another service can say whether it is good. */
const AWS = 'urn:lictor:token-type:aws-iam';
const OUTSIDE = { ...FORM, subject_token_type: AWS };
const FORM_TYPE = 'application/x-www-form-urlencoded';

let test: TestStore;
let records: NewRecord[];
let ledgerBroken: boolean;
let proof: () => Promise<Proof>;
beforeEach(async () => {
  test = await openTestStore();
  records = [];
  ledgerBroken = false;
  proof = async () => ({ ok: true, identity: IDENTITY, provider: PROVIDER, expiresAtMs: null, credentialId: 'jwt:1' });
});
afterEach(() => test.close());

function endpoint(failClosed = true, config: typeof CONFIG = CONFIG) {
  const { clock, store } = test;
  const exchange = createTokenExchange({
    ...openAccess(test, config),
    config,
    agents: createAgents({ store, config, clock }),
    accessTokens: store.accessTokens,
    locks: store.locks,
    clock,
    proofs: new Map([
      ['jwt', () => proof()],
      [AWS, () => proof()],
    ]),
  });
  return createTokenEndpoint({
    grants: new Map([[GRANT_TYPE, { action: 'token.exchange', grant: exchange, asksOutside: asksOutsideFor }]]),
    record: async (record) => {
      if (ledgerBroken) throw new LictorError('ledger-unavailable', 'disk full');
      records.push(record);
    },
    failClosed,
    clock,
    steady: test.steady,
    revision: 7,
    onError: () => {},
  });
}

type Endpoint = ReturnType<typeof endpoint>;

function ask(to: Endpoint, form: Readonly<Record<string, string>> | string, contentType = FORM_TYPE, address = '192.0.2.1'): Promise<TokenAnswer> {
  const body = Buffer.from(typeof form === 'string' ? form : new URLSearchParams(form).toString());
  return to({ contentType, body, address, requestId: 'r1', userAgent: 'curl', path: '/.lictor/oauth/token' });
}

/** What the token proves at the door, under a configuration. */
async function shows(token: unknown, config = CONFIG) {
  return openAccess(test, config).authenticator.authenticate(anEdgeInput({ authorization: `Bearer ${String(token)}` }));
}

describe('an exchange with an actor', () => {
  const ACTOR = { actor_token: 'proof', actor_token_type: 'jwt' };

  it('is recorded with all principals, also when it is refused', async () => {
    const { text } = await test.token({ name: 'etl', roles: ['operator'] });
    const actor = { actor_token: text, actor_token_type: 'urn:ietf:params:oauth:token-type:access_token' };
    expect(await ask(endpoint(), { ...FORM, ...actor })).toMatchObject({ status: 200, body: { sub: 'repo:acme/etl@ci', act: { sub: 'token:etl' } } });
    expect(records).toMatchObject([{ principal: 'token:etl', on_behalf_of: ['repo:acme/etl@ci'], credential_id: text.slice(4, 14), decision: 'allow' }]);
    expect(await ask(endpoint(), { ...FORM, ...ACTOR })).toMatchObject({ status: 400, body: { error: 'invalid_grant', code: 'actor-repeated' } });
    expect(records[1]).toMatchObject({ principal: 'repo:acme/etl@ci', on_behalf_of: ['repo:acme/etl@ci'], decision: 'deny', reason: 'actor-repeated' });
  });

  it('counts every attempt when another service must verify the proof of the actor', async () => {
    proof = async () => ({ ok: false, reason: 'aws-refused' });
    const one = endpoint();
    for (let tried = 0; tried < TOKEN_LIMITS.refused; tried += 1) await ask(one, { ...FORM, ...ACTOR, actor_token_type: AWS });
    let asked = false;
    proof = async () => {
      asked = true;
      return { ok: false, reason: 'aws-refused' };
    };
    expect(await ask(one, { ...FORM, ...ACTOR, actor_token_type: AWS })).toMatchObject({ status: 429 });
    expect(asked).toBe(false);
  });
});

describe('a proof that is accepted', () => {
  it('is exchanged for a token of the same principal for 15 minutes', async () => {
    const answer = await ask(endpoint(), FORM);
    expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
    expect(answer.body).toEqual({
      access_token: expect.stringMatching(/^lca_[0-9a-z]{68}$/),
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 900,
    });
    const token = answer.body['access_token'];
    expect(await shows(token)).toMatchObject({
      ok: true,
      principal: { id: 'repo:acme/etl@ci', roles: ['deployer'] },
      credential: { expiresAtMs: test.clock() + ACCESS_TOKEN_MS },
    });
    test.advance(ACCESS_TOKEN_MS - 1);
    expect(await shows(token)).toMatchObject({ ok: true });
    test.advance(1);
    expect(await shows(token)).toMatchObject({ ok: false, reason: 'credential-expired' });
  });

  it('of a workload that is an agent is exchanged for a token of the agent, while its sponsor stands', async () => {
    const config = {
      ...CONFIG,
      agents: [anAgent({ sponsor: { name: 'alice', idp: 'local' }, credential: { kind: 'claim', key: 'repository', pattern: 'acme/*', idp: 'ci' } })],
    };
    const withAccounts = { ...config, identityProviders: [...CONFIG.identityProviders, { id: 'local', type: 'accounts' } as const] };
    expect(await ask(endpoint(true, withAccounts), FORM)).toMatchObject({ status: 400, body: { code: 'agent-sponsor-ended' } });
    await test.store.accounts.create({ id: 'a1', name: 'alice', roles: ['viewer'], password: 'phc' });
    const { body } = await ask(endpoint(true, withAccounts), FORM);
    expect(await shows(body['access_token'], withAccounts)).toMatchObject({ ok: true, principal: { id: 'agent:copilot', onBehalfOf: ['alice@local'] } });
    const grants = [expect.objectContaining({ members: ['agent:copilot'], role: 'agent' })];
    expect(records).toMatchObject([
      { decision: 'deny', principal: 'agent:copilot' },
      { decision: 'allow', principal: 'agent:copilot', grants },
    ]);
    await test.store.accounts.remove('alice');
    expect(await shows(body['access_token'], withAccounts)).toMatchObject({ ok: false, reason: 'agent-sponsor-ended' });
  });

  it('is recorded with principal, token and proof, without the text of either', async () => {
    const answer = await ask(endpoint(), FORM);
    expect(records).toEqual([
      expect.objectContaining({
        action: 'token.exchange',
        decision: 'allow',
        principal: 'repo:acme/etl@ci',
        credential_id: 'jwt:1',
        grants: [expect.objectContaining({ role: 'deployer', members: ['repo:acme/etl@ci'], rules: ['lictor.yaml roles[0]: claim:repository=acme/*@ci'] })],
        resource_type: 'AccessToken',
        resource_id: String(answer.body['access_token']).slice(4, 14),
      }),
    ]);
    expect(JSON.stringify(records)).not.toContain(String(answer.body['access_token']));
  });

  it('never gives a token that outlives it', async () => {
    proof = async () => ({ ok: true, identity: IDENTITY, provider: PROVIDER, expiresAtMs: test.clock() + 60_500, credentialId: 'jwt:1' });
    const { body } = await ask(endpoint(), FORM);
    expect(body).toMatchObject({ expires_in: 60 });
    test.advance(60_500);
    expect(await shows(body['access_token'])).toMatchObject({ ok: false, reason: 'credential-expired' });
  });

  it.each(['https://prefect.example', 'https://prefect.example/api'])('may ask for a token for %s', async (resource) => {
    expect(await ask(endpoint(), { ...FORM, resource })).toMatchObject({ status: 200 });
  });

  it('issues no token while it cannot be recorded, unless the configuration permits it', async () => {
    ledgerBroken = true;
    expect(await ask(endpoint(), FORM)).toMatchObject({ status: 503, body: { code: 'ledger-unavailable' }, headers: { 'retry-after': '2' } });
    expect(await test.store.accessTokens.live()).toEqual([]);
    expect(await ask(endpoint(false), FORM)).toMatchObject({ status: 200 });
  });
});

describe('an issued token', () => {
  const given = async (): Promise<string> => String((await ask(endpoint(), FORM)).body['access_token']);

  it('ends when it is revoked, alone or with all tokens of its principal, and the change number increases', async () => {
    const [one, two, three] = [await given(), await given(), await given()];
    const before = await test.store.changeNumber();
    expect(await test.store.accessTokens.revoke(one.slice(4, 14))).toBe(true);
    expect(await shows(one)).toEqual({
      ...{ ok: false, reason: 'credential-revoked', credentialId: one.slice(4, 14) },
      owner: { id: 'repo:acme/etl@ci', kind: 'service', idp: 'ci', onBehalfOf: [] },
    });
    expect(await shows(two)).toMatchObject({ ok: true });
    expect(await test.store.accessTokens.revokeOf('ci', 'repo:acme/etl')).toEqual({ tokens: 2, runs: 0 });
    expect(await shows(two)).toMatchObject({ ok: false, reason: 'credential-revoked' });
    expect(await shows(three)).toMatchObject({ ok: false });
    expect(await test.store.changeNumber()).toBe(before + 2);
  });

  it('ends when its provider is removed, or its trust changes', async () => {
    const token = await given();
    expect(await shows(token, { ...CONFIG, identityProviders: [] })).toMatchObject({ ok: false, reason: 'credential-revoked' });
    const narrower = { ...PROVIDER, require: { ref: 'refs/heads/main' } };
    expect(await shows(token, { ...CONFIG, identityProviders: [narrower] })).toMatchObject({ ok: false, reason: 'credential-revoked' });
  });

  it('has the present roles, not those of its issue', async () => {
    const token = await given();
    expect(await shows(token, { ...CONFIG, roles: [] })).toMatchObject({ ok: true, principal: { roles: [] } });
  });

  it('is accepted only by its whole text', async () => {
    const token = await given();
    expect(await shows(token.replace(/.$/, (last) => (last === '0' ? '1' : '0')))).toMatchObject({ ok: false, reason: 'credential-malformed' });
    expect(await shows(token.replace('lca_', 'lct_'))).toMatchObject({ ok: false, reason: 'credential-malformed' });
    const other = await given();
    await test.store.accessTokens.revoke(other.slice(4, 14));
    expect(await shows(token)).toMatchObject({ ok: true });
  });
});

describe('rejected in the form of OAuth with the reason of Lictor', () => {
  it.each<[string, Readonly<Record<string, string>> | string, string]>([
    ['no grant type', { subject_token: 'x' }, 'invalid_request'],
    ['another grant type', { ...FORM, grant_type: 'password' }, 'unsupported_grant_type'],
    ['no subject token', { grant_type: GRANT_TYPE, subject_token_type: 'jwt' }, 'invalid_request'],
    ['an empty subject token', { ...FORM, subject_token: '' }, 'invalid_request'],
    ['a type that is not accepted', { ...FORM, subject_token_type: 'saml2' }, 'invalid_request'],
    ['an actor', { ...FORM, actor_token: 'x' }, 'invalid_request'],
    ['a refresh token', { ...FORM, requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, 'invalid_request'],
    ['a scope', { ...FORM, scope: 'prefect:read' }, 'invalid_scope'],
    ['another resource', { ...FORM, resource: 'https://other.example' }, 'invalid_target'],
    ['another audience', { ...FORM, audience: 'other' }, 'invalid_target'],
    ['a parameter twice', `${new URLSearchParams(FORM)}&subject_token=other`, 'invalid_request'],
    ['nothing', '', 'invalid_request'],
  ])('%s', async (_name, form, error) => {
    const answer = await ask(endpoint(), form);
    expect(answer).toMatchObject({ status: 400, body: { error, code: 'request-invalid', request_id: 'r1' } });
    expect(JSON.stringify(answer.body)).not.toContain('proof');
    expect(await test.store.accessTokens.live()).toEqual([]);
    expect(records).toEqual([expect.objectContaining({ action: 'token.exchange', decision: 'deny', reason: 'request-invalid', status: 400 })]);
  });

  it.each(['application/json', 'application/x-www-form-urlencoded; charset=utf-16', 'multipart/form-data', ''])('a body of type %j', async (type) => {
    expect(await ask(endpoint(), FORM, type)).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  it('a proof that proves nothing', async () => {
    proof = async () => ({ ok: false, reason: 'jwt-signature' });
    expect(await ask(endpoint(), FORM)).toMatchObject({ status: 400, body: { error: 'invalid_grant', code: 'jwt-signature' } });
    expect(records).toEqual([expect.objectContaining({ decision: 'deny', reason: 'jwt-signature', principal: null })]);
  });

  it('a principal without a role, by name', async () => {
    proof = async () => ({ ok: true, identity: { ...IDENTITY, claims: {} }, provider: PROVIDER, expiresAtMs: null, credentialId: 'jwt:2' });
    expect(await ask(endpoint(), FORM)).toMatchObject({ status: 400, body: { error: 'invalid_grant', code: 'policy-default-deny' } });
    expect(records).toEqual([expect.objectContaining({ decision: 'deny', principal: 'repo:acme/etl@ci', credential_id: 'jwt:2' })]);
  });

  it('a locked principal, provider or address, and an earlier token', async () => {
    const token = (await ask(endpoint(), FORM)).body['access_token'];
    for (const [kind, value] of [
      ['principal', 'repo:acme/etl@ci'],
      ['idp', 'ci'],
      ['address', '192.0.2.0/24'],
    ] as const) {
      await test.store.locks.put({ kind, value, why: '', by: 'local:root', expiresMs: null });
      expect(await ask(endpoint(), FORM)).toMatchObject({ status: 400, body: { error: 'invalid_grant', code: 'locked' } });
      expect(await shows(token)).toMatchObject({ ok: false, reason: 'locked' });
      await test.store.locks.remove({ kind, value });
    }
    expect(await ask(endpoint(), FORM)).toMatchObject({ status: 200 });
  });

  it('if no decision is possible: later, without counting a failure of the client', async () => {
    proof = async () => {
      throw new LictorError('gateway-unavailable', 'no keys');
    };
    const to = endpoint();
    for (let index = 0; index <= TOKEN_LIMITS.refused; index += 1) expect((await ask(to, FORM)).status).toBe(503);
    expect((await ask(to, FORM)).headers).toMatchObject({ 'retry-after': '5' });
    expect((await ask(to, FORM)).body).toMatchObject({ error: 'temporarily_unavailable', code: 'gateway-unavailable' });
  });

  it('an address that continues: 429 only for it, until its minute ends', async () => {
    proof = WRONG;
    const to = endpoint();
    await refusedTimes(TOKEN_LIMITS.refused, to, FORM);
    expect(await ask(to, FORM)).toMatchObject({ status: 429, body: { code: 'rate-limited' }, headers: { 'retry-after': '60' } });
    expect(records).toHaveLength(TOKEN_LIMITS.refused);
    expect((await ask(to, FORM, FORM_TYPE, '192.0.2.9')).status).toBe(400);
    test.advance(60_000);
    expect((await ask(to, FORM)).status).toBe(400);
  });
});

describe('an address of several clients', () => {
  it('records the rejection of an authenticated principal, whatever the address sent before', async () => {
    const to = endpoint();
    proof = WRONG;
    await refusedTimes(TOKEN_LIMITS.refused, to, FORM);
    proof = async () => ({ ok: true, identity: { ...IDENTITY, claims: {} }, provider: PROVIDER, expiresAtMs: null, credentialId: 'jwt:2' });
    const before = records.length;
    for (let index = 0; index < TOKEN_LIMITS.refused; index += 1)
      expect(await ask(to, FORM)).toMatchObject({ status: 400, body: { code: 'policy-default-deny' } });
    expect(records.at(-1)).toMatchObject({ decision: 'deny', principal: 'repo:acme/etl@ci', credential_id: 'jwt:2', reason: 'policy-default-deny' });
    // The same bound applies to every principal.
    expect(await ask(to, FORM)).toMatchObject({ status: 429 });
    expect(records).toHaveLength(before + TOKEN_LIMITS.refused);
  });

  it('gets a token for a valid proof, however many were rejected before', async () => {
    const good = proof;
    proof = WRONG;
    const to = endpoint();
    await refusedTimes(TOKEN_LIMITS.tried, to, FORM);
    proof = good;
    expect(await ask(to, FORM)).toMatchObject({ status: 200 });
    proof = WRONG;
    expect(await ask(to, FORM)).toMatchObject({ status: 429 });
  });

  it('does not ask another service after too many rejections, also for a valid proof; other grants work as before', async () => {
    const good = proof;
    let asked = 0;
    proof = async () => {
      asked += 1;
      return { ok: false, reason: 'aws-refused' };
    };
    const to = endpoint();
    await refusedTimes(TOKEN_LIMITS.refused, to, OUTSIDE);
    expect(await ask(to, OUTSIDE)).toMatchObject({ status: 429, body: { code: 'rate-limited' }, headers: { 'retry-after': '60' } });
    expect(asked).toBe(TOKEN_LIMITS.refused);
    proof = good;
    expect(await ask(to, OUTSIDE)).toMatchObject({ status: 429 });
    expect(await ask(to, FORM)).toMatchObject({ status: 200 });
    expect(await ask(to, OUTSIDE, FORM_TYPE, '192.0.2.9')).toMatchObject({ status: 200 });
    test.advance(60_000);
    expect(await ask(to, OUTSIDE)).toMatchObject({ status: 200 });
  });

  it('accepts a valid signature of AWS after wrong proofs of another kind', async () => {
    const good = proof;
    proof = WRONG;
    const to = endpoint();
    await refusedTimes(TOKEN_LIMITS.tried, to, FORM);
    proof = good;
    expect(await ask(to, OUTSIDE)).toMatchObject({ status: 200 });
  });

  it('stops asking another service that does not answer', async () => {
    let asked = 0;
    proof = async () => {
      asked += 1;
      throw new LictorError('gateway-unavailable', 'STS cannot be asked');
    };
    const to = endpoint();
    for (let index = 0; index < TOKEN_LIMITS.tried; index += 1) expect((await ask(to, OUTSIDE)).status).toBe(503);
    expect(await ask(to, OUTSIDE)).toMatchObject({ status: 429 });
    expect(asked).toBe(TOKEN_LIMITS.tried);
  });

  it('bounds the tokens of one principal, and not those of another', async () => {
    const to = endpoint();
    for (let index = 0; index < TOKEN_LIMITS.given; index += 1) expect((await ask(to, FORM)).status).toBe(200);
    expect(await ask(to, FORM)).toMatchObject({ status: 429, body: { code: 'rate-limited' } });
    expect(await test.store.accessTokens.live()).toHaveLength(TOKEN_LIMITS.given);
    proof = async () => ({ ok: true, identity: { ...IDENTITY, name: 'repo:acme/web' }, provider: PROVIDER, expiresAtMs: null, credentialId: 'jwt:2' });
    expect(await ask(to, FORM)).toMatchObject({ status: 200 });
  });
});

const WRONG = async (): Promise<Proof> => ({ ok: false, reason: 'jwt-signature' });

async function refusedTimes(times: number, to: Endpoint, form: typeof FORM): Promise<void> {
  for (let index = 0; index < times; index += 1) expect([400, 429]).toContain((await ask(to, form)).status);
}
