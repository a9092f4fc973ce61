// Logins by authorization code with a built-in account: request, consent, code, tokens, and every attempt that must fail.
import { createLocalJWKSet, jwtVerify } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { anAgent } from '../../identity/authn/agent/agent.fixture.ts';
import { createTokenText } from '../../identity/authn/service-token/token-text.ts';
import { documentNetwork } from '../../identity/oauth/client-documents.ts';
import { CALLBACK, CLIENTS, codeClient, MCP, REQUEST, VERIFIER } from './authorize.fixture.ts';
import { renderConsent } from './authorize-page.ts';
import { deviceClient } from './device.fixture.ts';
import { CLI_LIFE_MS, cookieOf, HTML, useOwnApp } from './own-app.fixture.ts';

const own = useOwnApp();
const { get, ask, post, logIn, reconfigure } = own;
const { visit, requestOn, decide, answerTo, redeem, obtained, refresh, revoke } = codeClient(own);
const { use } = deviceClient(own);
const ISSUER = 'http://localhost:8200';

beforeEach(() => reconfigure({ config: { oauthClients: CLIENTS } }));

const signIn = async (): Promise<string> => cookieOf(await logIn());
/** The principal of the token at the MCP endpoint, or the reason for a rejection. */
const verify = (token: unknown) => get().authenticator.authenticate({ ...EMPTY, authorization: `Bearer ${String(token)}`, audience: 'mcp' });
const useAtMcp = async (token: unknown) => {
  const verdict = await verify(token);
  return verdict.ok ? { principal: verdict.principal.id, scopes: verdict.credential.scopes } : { code: verdict.reason };
};
const EMPTY = {
  ...{ requestId: 'r', host: '', listener: '', address: '192.0.2.1', token: '', session: '', certificate: '', sameOrigin: false },
  ...{ method: 'POST', operation: '', path: '', args: '' },
};

describe('a login by authorization code', () => {
  it('names the client, the redirect host, the rights, the end and the person, and then gives a code, the state and the issuer', async () => {
    const session = await signIn();
    const page = await visit({}, session);
    expect(page.statusCode).toBe(200);
    const end = new Date(get().test.clock() + CLI_LIFE_MS).toISOString().slice(0, 16).replace('T', ' ');
    for (const text of ['MCP Inspector', 'alice@local', 'inspector.example', 'read what you may read', 'start and steer runs', '(MCP)', end])
      expect(page.body).toContain(text);
    expect(page.body).not.toContain('change deployments');
    expect(page.body).not.toContain('on this computer');
    const done = await decide(requestOn(page.body), session);
    expect(done.statusCode).toBe(303);
    const location = new URL(String(done.headers.location));
    expect(`${location.origin}${location.pathname}`).toBe(CALLBACK);
    expect(Object.fromEntries(location.searchParams)).toEqual({ code: expect.stringMatching(/^lcc_[0-9a-z]{68}$/), state: 'a b&c', iss: ISSUER });
  });

  it('gives tokens for the interface of agents, with the scopes of the request, that are not valid at the API', async () => {
    const tokens = await obtained(await signIn());
    expect(tokens).toMatchObject({ statusCode: 200, token_type: 'Bearer', expires_in: 600, scope: 'prefect:read prefect:run' });
    expect(tokens).not.toHaveProperty('id_token');
    expect(await useAtMcp(tokens['access_token'])).toEqual({ principal: 'alice@local', scopes: ['prefect:read', 'prefect:run'] });
    expect(await use(tokens['access_token'])).toMatchObject({ code: 'token-audience' });
    const fresh = await refresh(tokens['refresh_token']);
    expect(fresh).toMatchObject({ statusCode: 200, scope: 'prefect:read prefect:run' });
    expect(await useAtMcp(fresh['access_token'])).toMatchObject({ principal: 'alice@local' });
  });

  it('gives tokens for the API without a resource, or with its own, that are not valid for agents', async () => {
    const session = await signIn();
    for (const resource of ['', ISSUER, `${ISSUER}/api`]) {
      const tokens = await obtained(session, { resource, scope: '' });
      expect(tokens['scope'], resource).toBe('prefect:read prefect:run prefect:write lictor:admin');
      expect(await use(tokens['access_token'])).toMatchObject({ principal: 'alice@local' });
      expect(await useAtMcp(tokens['access_token'])).toEqual({ code: 'token-audience' });
    }
  });

  it('without scopes has those of agents, and no right of administrators', async () => {
    expect(await obtained(await signIn(), { scope: '' })).toMatchObject({ scope: 'prefect:read prefect:run prefect:write' });
  });

  it('gives an ID token with the nonce if the client asks for openid', async () => {
    const tokens = await obtained(await signIn(), { scope: 'openid prefect:read', nonce: 'n-1' });
    const { keys } = (await ask('/.well-known/lictor-jwks.json')).json();
    const { payload } = await jwtVerify(String(tokens['id_token']), createLocalJWKSet({ keys }), { currentDate: new Date(get().test.clock()) });
    expect(payload).toMatchObject({ iss: ISSUER, sub: 'alice@local', aud: 'inspector', nonce: 'n-1' });
  });

  it('goes to a program on the own computer at any port, with a warning, and to an app by its scheme', async () => {
    const session = await signIn();
    const loopback = { redirect_uri: 'http://127.0.0.1:49152/callback' };
    const page = await visit(loopback, session);
    for (const text of ['127.0.0.1:49152', 'Any program here']) expect(page.body).toContain(text);
    const code = (await answerTo(session, loopback)).get('code');
    expect(await redeem(code, loopback)).toMatchObject({ statusCode: 200 });
    const app = await visit({ redirect_uri: 'cursor://mcp/callback' }, session);
    expect(app.headers['content-security-policy']).toContain('form-action * cursor:;');
    for (const text of ['<strong>cursor:</strong>', 'Any program here']) expect(app.body).toContain(text);
    expect(page.headers['content-security-policy']).toContain('form-action *;');
  });

  it('is recorded from the click to its end, and no token or code is in any record or log', async () => {
    const answer = await answerTo(await signIn());
    const tokens = await redeem(answer.get('code'));
    await refresh(tokens['refresh_token']);
    const { records, logged } = get();
    expect(records.map(({ action, decision, principal }) => [action, decision, principal])).toEqual([
      ['session.login', 'allow', 'alice@local'],
      ['authorize.allow', 'allow', 'alice@local'],
      ['token.code', 'allow', 'alice@local'],
      ['token.refresh', 'allow', 'alice@local'],
    ]);
    expect(new Set(records.slice(1).map(({ grant_id }) => grant_id)).size).toBe(1);
    const everything = JSON.stringify([records, logged]);
    for (const secret of [answer.get('code'), tokens['access_token'], tokens['refresh_token']]) expect(everything).not.toContain(String(secret));
  });

  it('begins after the login of the person, who comes back to it', async () => {
    const sent = await visit();
    expect(sent.statusCode).toBe(302);
    const attempt = new URL(String(sent.headers.location), ISSUER).searchParams.get('attempt') ?? '';
    const back = await logIn({ attempt });
    expect(back.headers.location).toBe(`/.lictor/oauth/authorize?${new URLSearchParams(REQUEST)}`);
  });

  it('leads also a program to the login, and answers it nothing about the client', async () => {
    for (const differing of [{}, { client_id: 'unknown' }]) {
      const { statusCode, headers, body } = await ask(`/.lictor/oauth/authorize?${new URLSearchParams({ ...REQUEST, ...differing })}`);
      expect([statusCode, headers.location, body]).toEqual([302, expect.stringMatching(/^\/\.lictor\/login\?attempt=[\w-]+$/), '']);
    }
  });

  it('ends by revocation, and with the client in lictor.yaml', async () => {
    const session = await signIn();
    const [tokens, other] = [await obtained(session), await obtained(session)];
    expect((await revoke(tokens['refresh_token'])).statusCode).toBe(200);
    expect(await useAtMcp(tokens['access_token'])).toEqual({ code: 'login-ended' });
    expect(await verify(tokens['access_token'])).toMatchObject({ owner: { id: 'alice@local', kind: 'user', idp: 'local' } });
    expect(await useAtMcp(other['access_token'])).toMatchObject({ principal: 'alice@local' });
    reconfigure({ config: { oauthClients: CLIENTS.slice(1) } });
    expect(await useAtMcp(other['access_token'])).toEqual({ code: 'login-ended' });
    expect(await refresh(other['refresh_token'])).toMatchObject({ error: 'invalid_client', code: 'client-unknown' });
  });
});

describe('a request with a wrong', () => {
  it.each<readonly [string, Readonly<Record<string, string>>, string]>([
    ['client', { client_id: 'nobody' }, 'client-unknown'],
    ['client: none', { client_id: '' }, 'client-unknown'],
    ['redirect URI: of another client', { redirect_uri: 'https://other.example/callback' }, 'redirect-unknown'],
    ['redirect URI: longer', { redirect_uri: `${CALLBACK}/x` }, 'redirect-unknown'],
    ['redirect URI: with a query', { redirect_uri: `${CALLBACK}?x=1` }, 'redirect-unknown'],
    ['redirect URI: another port', { redirect_uri: 'https://inspector.example:8443/callback' }, 'redirect-unknown'],
    ['redirect URI: another loopback path', { redirect_uri: 'http://127.0.0.1:1/other' }, 'redirect-unknown'],
    ['redirect URI: another loopback name', { redirect_uri: 'http://localhost:1/callback' }, 'redirect-unknown'],
    ['redirect URI: a host that begins like loopback', { redirect_uri: 'http://127.0.0.1:1@evil.example/callback' }, 'redirect-unknown'],
    ['redirect URI: none', { redirect_uri: '' }, 'redirect-unknown'],
  ])('%s is answered to the person, not to the client', async (_what, more, code) => {
    const answer = await visit(more, await signIn());
    expect(answer.statusCode).toBe(400);
    expect(answer.body).toContain(code);
    expect(answer.headers.location).toBeUndefined();
  });

  it.each<readonly [string, Readonly<Record<string, string>>, string]>([
    ['response type', { response_type: 'token' }, 'unsupported_response_type'],
    ['response type: none', { response_type: '' }, 'invalid_request'],
    ['response mode', { response_mode: 'fragment' }, 'invalid_request'],
    ['challenge: none', { code_challenge: '' }, 'invalid_request'],
    ['challenge: too short', { code_challenge: 'short' }, 'invalid_request'],
    ['challenge method', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['challenge method: none', { code_challenge_method: '' }, 'invalid_request'],
    ['scope', { scope: 'prefect:read root' }, 'invalid_scope'],
    ['resource', { resource: 'https://other.example/.lictor/mcp' }, 'invalid_target'],
    ['request object', { request: 'x.y.z' }, 'request_not_supported'],
    ['request object by reference', { request_uri: 'https://inspector.example/request' }, 'request_uri_not_supported'],
    ['prompt', { prompt: 'none' }, 'interaction_required'],
  ])('%s is answered to the client, with its state and the issuer', async (_what, more, error) => {
    const answer = await visit(more, await signIn());
    expect(answer.statusCode).toBe(303);
    const location = new URL(String(answer.headers.location));
    expect(`${location.origin}${location.pathname}`).toBe(CALLBACK);
    expect(Object.fromEntries(location.searchParams)).toMatchObject({ error, state: 'a b&c', iss: ISSUER });
    expect(location.searchParams.has('code')).toBe(false);
  });

  it('parameter twice, or one that is too long, is answered to the person', async () => {
    const session = await signIn();
    const query = new URLSearchParams(REQUEST);
    expect((await ask(`/.lictor/oauth/authorize?${query}&resource=${encodeURIComponent(ISSUER)}`, { session, headers: HTML })).statusCode).toBe(400);
    expect((await visit({ state: 'x'.repeat(4096) }, session)).statusCode).toBe(400);
  });
});

describe('no code without the click of the person', () => {
  it('in the session of the page, and from a page of the gateway', async () => {
    const session = await signIn();
    const request = requestOn((await visit({}, session)).body);
    const other = await signIn();
    const forged = [request.slice(0, -1), '', 'A'.repeat(80), request.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))];
    for (const text of forged) expect((await decide(text, session)).statusCode).toBe(403);
    expect(get().records.at(-1)).toMatchObject({ action: 'authorize.allow', decision: 'deny', reason: 'origin-foreign' });
    expect((await decide(request, other)).statusCode, 'another session').toBe(403);
    expect((await decide(request, '')).statusCode, 'no session').toBe(401);
    expect((await decide(request, session, 'perhaps')).statusCode).toBe(400);
    const fromElsewhere = await post('/.lictor/oauth/authorize', { request, decision: 'allow' }, { session, sameOrigin: false });
    expect(fromElsewhere.statusCode).toBe(403);
    expect((await decide(request, session)).statusCode).toBe(303);
  });

  it('within ten minutes', async () => {
    const session = await signIn();
    const request = requestOn((await visit({}, session)).body);
    get().test.advance(600_000);
    const late = await decide(request, session);
    expect([late.statusCode, late.body]).toEqual([400, expect.stringContaining('authorization-expired')]);
  });

  it('and none for a refusal: the client gets access_denied', async () => {
    const session = await signIn();
    const done = await decide(requestOn((await visit({}, session)).body), session, 'refuse');
    expect(done.statusCode).toBe(303);
    expect(Object.fromEntries(new URL(String(done.headers.location)).searchParams)).toEqual({ error: 'access_denied', state: 'a b&c', iss: ISSUER });
    expect(get().records.at(-1)).toMatchObject({ action: 'authorize.refuse', principal: 'alice@local' });
  });

  it('while it cannot be recorded, or after the client has left lictor.yaml', async () => {
    const session = await signIn();
    const request = requestOn((await visit({}, session)).body);
    get().ledgerBroken = true;
    expect((await decide(request, session)).statusCode).toBe(503);
    get().ledgerBroken = false;
    reconfigure({ config: { oauthClients: CLIENTS.slice(1) } });
    expect((await decide(request, session)).body).toContain('authorization-expired');
  });
});

describe('a code', () => {
  it('is redeemed once: a second use ends the login', async () => {
    const code = (await answerTo(await signIn())).get('code');
    const tokens = await redeem(code);
    expect(await useAtMcp(tokens['access_token'])).toMatchObject({ principal: 'alice@local' });
    expect(await redeem(code)).toMatchObject({ statusCode: 400, error: 'invalid_grant', code: 'code-replayed' });
    expect(await useAtMcp(tokens['access_token'])).toEqual({ code: 'login-ended' });
    expect(await refresh(tokens['refresh_token'])).toMatchObject({ error: 'invalid_grant', code: 'login-ended' });
    const uses = get().records.filter(({ action }) => action === 'token.code');
    expect(uses.map(({ decision, reason }) => [decision, reason ?? null])).toEqual([
      ['allow', null],
      ['deny', 'code-replayed'],
    ]);
    expect(get().syncs).toBe(1);
  });

  it('of two uses at once, one is a replay', async () => {
    const code = (await answerTo(await signIn())).get('code');
    const both = await Promise.all([redeem(code), redeem(code)]);
    expect(both.map(({ statusCode }) => statusCode).sort()).toEqual([200, 400]);
    expect(await useAtMcp(both.find(({ statusCode }) => statusCode === 200)?.['access_token'])).toEqual({ code: 'login-ended' });
  });

  it('expires after a minute, and its grant with it', async () => {
    const code = (await answerTo(await signIn())).get('code');
    expect(await get().test.store.clientGrants.live()).toHaveLength(1);
    get().test.advance(60_000);
    expect(await redeem(code)).toMatchObject({ error: 'invalid_grant', code: 'code-unknown' });
    expect(await get().test.store.clientGrants.live()).toHaveLength(0);
  });

  it.each<readonly [string, Readonly<Record<string, string>>, string, string]>([
    ['client', { client_id: 'other' }, 'invalid_grant', 'code-unknown'],
    ['client that is unknown', { client_id: 'nobody' }, 'invalid_client', 'client-unknown'],
    ['redirect URI', { redirect_uri: 'cursor://mcp/callback' }, 'invalid_grant', 'redirect-mismatch'],
    ['verifier', { code_verifier: 'w'.repeat(43) }, 'invalid_grant', 'verifier-wrong'],
    ['verifier: the challenge', { code_verifier: String(REQUEST['code_challenge']) }, 'invalid_grant', 'verifier-wrong'],
    ['verifier: none', { code_verifier: '' }, 'invalid_request', 'request-invalid'],
    ['redirect URI: none', { redirect_uri: '' }, 'invalid_request', 'request-invalid'],
    ['resource', { resource: ISSUER }, 'invalid_target', 'request-invalid'],
    ['code', { code: createTokenText('0123456789', 'lcc_').text }, 'invalid_grant', 'code-unknown'],
  ])('gives no token to another %s; twin: the right one gets one', async (_what, more, error, code) => {
    const real = (await answerTo(await signIn())).get('code');
    expect(await redeem(real, more)).toMatchObject({ statusCode: 400, error, code });
    expect(await redeem(real, { resource: MCP, code_verifier: VERIFIER })).toMatchObject({ statusCode: 200 });
  });

  it('with the same id and another secret is unknown', async () => {
    const real = String((await answerTo(await signIn())).get('code'));
    expect(await redeem(createTokenText(real.slice(4, 14), 'lcc_').text)).toMatchObject({ code: 'code-unknown' });
    expect(await redeem(real)).toMatchObject({ statusCode: 200 });
  });

  it('gives nothing once the session of the click has ended before it was stored, or the person is locked', async () => {
    const session = await signIn();
    const code = (await answerTo(session)).get('code');
    const lock = { kind: 'principal', value: 'alice@local' } as const;
    await get().test.store.locks.put({ ...lock, why: '', by: 'local:root', expiresMs: null });
    expect(await redeem(code)).toMatchObject({ error: 'invalid_grant', code: 'locked' });
    await get().test.store.locks.remove(lock);
    await get().test.store.accounts.setPassword('alice', get().phc);
    expect(await redeem(code)).toMatchObject({ statusCode: 400, error: 'invalid_grant' });
  });
});

it('a client that is an agent says so, and only its sponsor may allow it', async () => {
  const asAgent = (sponsor: string) => anAgent({ credential: { kind: 'client', id: 'inspector' }, sponsor: { name: sponsor, idp: 'local' } });
  reconfigure({ config: { oauthClients: CLIENTS, agents: [asAgent('alice')] } });
  const session = await signIn();
  expect((await visit({}, session)).body).toContain('<strong>agent:copilot</strong> for <strong>alice@local</strong>');
  reconfigure({ config: { oauthClients: CLIENTS, agents: [asAgent('bob')] } });
  const refused = await visit({}, session);
  expect([refused.statusCode, refused.body]).toEqual([403, expect.stringContaining('agent-not-sponsor')]);
});

describe('a client that publishes a metadata document', () => {
  const id = 'https://client.example/client.json';
  const network = (addresses: readonly string[]) => ({ ...documentNetwork(), lookup: async () => addresses });

  it('on a host that is not listed leads to the administrator, without a look-up', async () => {
    const lookup = () => Promise.reject(new Error('must not be asked'));
    reconfigure({ config: { oauthClientHosts: ['other.example'] }, network: { ...documentNetwork(), lookup } });
    const answer = await visit({ client_id: id }, await signIn());
    expect(answer.statusCode).toBe(403);
    for (const text of ['client-not-allowed', 'client.example', 'Ask an administrator']) expect(answer.body).toContain(text);
  });

  it('at a private address is not fetched, and gets no token', async () => {
    reconfigure({ config: { oauthClientHosts: ['client.example'] }, network: network(['169.254.169.254']) });
    const answer = await visit({ client_id: id }, await signIn());
    expect([answer.statusCode, answer.body]).toEqual([400, expect.stringContaining('client-document-private')]);
    expect(await redeem('lcc_x', { client_id: id })).toMatchObject({ error: 'invalid_grant', code: 'code-unknown' });
    expect(await redeem('lcc_x', { client_id: 'https://other.example/client.json' })).toMatchObject({ error: 'invalid_client' });
  });

  it('is fetched for a signed-in person only', async () => {
    const looked: string[] = [];
    const lookup = async (host: string) => {
      looked.push(host);
      return ['127.0.0.1'];
    };
    reconfigure({ config: { oauthClientHosts: ['client.example'] }, network: { ...documentNetwork(), lookup } });
    expect((await visit({ client_id: id })).statusCode).toBe(302);
    expect(looked).toEqual([]);
    await visit({ client_id: id }, await signIn());
    expect(looked).toEqual(['client.example']);
  });

  it('is shown with the host that publishes it', () => {
    const page = {
      name: 'alice@local',
      client: 'Agent <b>',
      agent: null,
      redirectUri: CALLBACK,
      scopes: [],
      forAgents: true,
      until: new Date(0),
      host: 'gateway.example',
    };
    const body = renderConsent({ ...page, publishedBy: 'client.example', prefix: '/.lictor', request: 'x' });
    for (const text of ['published by <strong>client.example</strong>', 'Agent &lt;b&gt;', 'action="/.lictor/logout"', '<button class="quiet">Sign out'])
      expect(body).toContain(text);
  });
});

it('a client cannot register itself', async () => {
  const answer = await ask('/.lictor/oauth/register', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"redirect_uris":["https://x.example/"]}',
  });
  expect([answer.statusCode, answer.json()]).toEqual([400, expect.objectContaining({ code: 'registration-unsupported' })]);
  expect((await ask('/.well-known/oauth-authorization-server')).json()).not.toHaveProperty('registration_endpoint');
});

it('publishes what clients need: the code flow with S256 and the issuer, and the interface for agents as a resource', async () => {
  for (const name of ['oauth-authorization-server', 'openid-configuration']) {
    expect((await ask(`/.well-known/${name}`)).json()).toMatchObject({
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/.lictor/oauth/authorize`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
      grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token']),
    });
  }
  expect((await ask('/.well-known/oauth-protected-resource/.lictor/mcp')).json()).toEqual({
    resource: MCP,
    authorization_servers: [ISSUER],
    scopes_supported: ['prefect:read', 'prefect:run', 'prefect:write'],
    bearer_methods_supported: ['header'],
    resource_name: 'Prefect, for agents',
  });
});
