// Login at an OpenID Provider: redirect, answer, and every answer that must be rejected (OI-*, SE-01, SE-02, JW-01, JW-02, JW-04).

import { createHash, createHmac } from 'node:crypto';
import { decodeJwt, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { KEY_ID } from '../../identity/authn/oidc/openid-provider.fixture.ts';
import { HOSTILE_RETURN_PATHS } from './hostile-return-paths.fixture.ts';
import { codeOf, sessionOfAnswer, useOidcApp } from './oidc.fixture.ts';
import { HTML } from './own-app.fixture.ts';

const { get, idp, ask, connect, go, finish, signIn, me, logIn } = useOidcApp();

describe('a login', () => {
  it('goes directly to the only provider with fresh PKCE, state and nonce, and back to the requested page', async () => {
    const wanted = String((await ask('/runs?tab=Logs', { headers: { 'x-lictor-in-purpose': 'login' } })).headers.location);
    const [one, two] = [await go(wanted), await go(wanted)];
    const query = new URL(one.location).searchParams;
    expect(Object.fromEntries(query)).toMatchObject({
      response_type: 'code',
      client_id: 'lictor',
      code_challenge_method: 'S256',
      scope: 'openid profile email',
    });
    expect(query.get('redirect_uri')).toBe('http://localhost:8200/.lictor/callback/corp');
    for (const name of ['state', 'nonce', 'code_challenge']) expect(query.get(name), name).not.toBe(new URL(two.location).searchParams.get(name));
    const callback = await idp().browse(one.location, 'sub-alice');
    const done = await finish(callback, { browser: one.browser });
    expect([done.statusCode, done.headers.location]).toEqual([303, '/runs?tab=Logs']);
    const session = sessionOfAnswer(done);
    expect(session).toMatch(/^[\w-]{43}$/);
    expect(String(done.headers['set-cookie'])).toContain(`lictor-login-${one.state}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`);
    expect((await ask('/.lictor/api/v1/me', { session })).json()).toMatchObject({
      principal: 'alice@corp',
      principal_kind: 'user',
      idp: 'corp',
      roles: ['admin'],
    });
    expect(get().records).toMatchObject([{ action: 'session.login', decision: 'allow', principal: 'alice@corp', idp: 'corp', path: '/.lictor/callback/corp' }]);
    expect(get().records[0]?.grants).toMatchObject([{ role: 'admin', members: ['alice@corp'], rules: ['lictor.yaml roles[0]: group:platform@corp'] }]);
  });

  // return-path.test.ts has all of them.
  const hostile = HOSTILE_RETURN_PATHS.filter((_path, index) => index % 7 === 0);
  it(`ends on this origin, whatever of ${hostile.length} addresses it began with or stands beside the answer (RD-01)`, async () => {
    const { test } = get();
    const cookies = new Map<string, string>();
    for (const path of hostile.map((one) => one.toWellFormed())) {
      // The provider's clock goes on: on a busy machine its tokens would be of the future after a while.
      test.advance(Date.now() - test.clock());
      const begun = await ask(`/.lictor/login?return=${encodeURIComponent(path)}`, { headers: HTML });
      const sent = await go(String(begun.headers.location));
      const callback = await idp().browse(sent.location, 'sub-alice', cookies);
      for (const name of ['return', 'rd', 'redirect_uri', 'target_link_uri', 'RelayState']) callback.searchParams.set(name, path);
      const done = await finish(callback, { browser: sent.browser });
      expect([done.statusCode, done.headers.location], path).toEqual([303, '/']);
    }
  });

  it('asks the person again for a fresh login, and accepts no older proof of the provider', async () => {
    const proven = (secondsAgo: number) =>
      idp().bends.set('/token', async (answer) => {
        const auth_time = Math.floor(get().test.clock() / 1000) - secondsAgo;
        return { ...answer, id_token: await idp().sign({ ...decodeJwt(String(answer['id_token'])), auth_time }) };
      });
    const freshly = async () => {
      const sent = await go('/.lictor/login?idp=corp&again=1');
      expect(Object.fromEntries(new URL(sent.location).searchParams)).toMatchObject({ prompt: 'login', max_age: '0' });
      return await finish(await idp().browse(sent.location, 'sub-alice'), { browser: sent.browser });
    };
    proven(3600);
    expect(codeOf(await freshly())).toBe('login-not-recent');
    expect((await signIn()).statusCode).toBe(303);
    proven(60);
    expect((await freshly()).statusCode).toBe(303);
  });

  it('in two tabs at once: both land, each where it wanted to go', async () => {
    const wanted = async (path: string) => String((await ask(path, { headers: { 'x-lictor-in-purpose': 'login' } })).headers.location);
    const [one, two] = [await go(await wanted('/flows')), await go(await wanted('/runs'))];
    const [first, second] = [await idp().browse(two.location, 'sub-alice'), await idp().browse(one.location, 'sub-alice')];
    expect((await finish(first, { browser: two.browser })).headers.location).toBe('/runs');
    expect((await finish(second, { browser: one.browser })).headers.location).toBe('/flows');
  });

  it('without a role: the page names the groups that have one, and the store has nothing about the person', async () => {
    const page = await signIn('sub-bob');
    expect([page.statusCode, sessionOfAnswer(page)]).toEqual([403, '']);
    expect(page.body).toMatch(/bob@corp.*<code>platform<\/code>.*<code>team-a<\/code>.*idp=corp&amp;other=1/s);
    expect(get().records).toMatchObject([
      { action: 'session.login', decision: 'deny', reason: 'role-missing', principal: 'bob@corp', idp: 'corp', grants: null },
    ]);
    expect(await get().test.store.identities.list()).toEqual([]);
    const json = await signIn('sub-bob', { headers: { accept: '*/*' } });
    expect(json.json()).toMatchObject({ code: 'role-missing', detail: expect.stringContaining('platform, team-a') });
    expect(new URL((await go('/.lictor/login?idp=corp&other=1')).location).searchParams.get('prompt')).toBe('select_account');
  });

  it('without a role any more: what the sessions of before may do is gone too, though no provider is asked about them', async () => {
    idp().bends.set('/token', ({ refresh_token: _refresh, ...answer }) => answer);
    const session = sessionOfAnswer(await signIn());
    const roles = async () => (await ask('/.lictor/api/v1/me', { session })).json().roles;
    expect(await roles()).toEqual(['admin']);
    idp().accounts.set('sub-alice', { preferred_username: 'alice', groups: ['other'] });
    expect(codeOf(await signIn())).toBe('role-missing');
    expect(await roles()).toEqual([]);
  });

  it('ends the session that came along (SE-01)', async () => {
    const old = sessionOfAnswer(await signIn());
    const fresh = sessionOfAnswer(await signIn('sub-alice', { session: old }));
    expect([await me(old), await me(fresh), fresh === old]).toEqual([401, 200, false]);
    expect(get().syncs).toBe(1);
  });

  it('that cannot be recorded does not begin', async () => {
    get().ledgerBroken = true;
    const page = await signIn();
    expect([page.statusCode, codeOf(page), sessionOfAnswer(page)]).toEqual([503, 'ledger-unavailable', '']);
  });

  it('of a locked person, or at a locked provider, does not begin', async () => {
    const { locks } = get().test.store;
    const lock = { why: 'left', by: 'local:root', expiresMs: null };
    await locks.put({ ...lock, kind: 'principal', value: 'alice@corp' });
    expect(codeOf(await signIn())).toBe('locked');
    await locks.remove({ kind: 'principal', value: 'alice@corp' });
    await locks.put({ ...lock, kind: 'idp', value: 'corp' });
    expect(codeOf(await signIn())).toBe('locked');
  });

  it('of a locked person who has another name by now does not begin, and the sessions of before stay shut out', async () => {
    const { locks } = get().test.store;
    const session = sessionOfAnswer(await signIn());
    await locks.put({ kind: 'principal', value: 'alice@corp', why: 'left', by: 'local:root', expiresMs: null });
    idp().accounts.set('sub-alice', { preferred_username: 'alice.two', groups: ['platform'] });
    expect(codeOf(await signIn())).toBe('locked');
    expect((await ask('/.lictor/api/v1/me', { session })).json().code).toBe('locked');
    await locks.remove({ kind: 'principal', value: 'alice.two@corp' });
    expect((await signIn()).statusCode).toBe(303);
    expect((await ask('/.lictor/api/v1/me', { session })).json().principal).toBe('alice.two@corp');
  });

  it('with a name that another person had is refused until an administrator deletes the former one', async () => {
    await signIn();
    idp().accounts.set('sub-other', { preferred_username: 'alice', groups: ['platform'] });
    expect(codeOf(await signIn('sub-other'))).toBe('identity-name-taken');
    idp().accounts.set('sub-alice', { preferred_username: 'alice.two', groups: ['platform'] });
    expect((await signIn()).statusCode).toBe(303);
    expect(codeOf(await signIn('sub-other'))).toBe('identity-name-taken');
    await get().test.store.identities.forget('corp', 'alice');
    expect((await signIn('sub-other')).statusCode).toBe(303);
  });

  it('leaves no token, code, verifier or nonce in a record, a log or an answer', async () => {
    const tokens: string[] = [];
    idp().bends.set('/token', (answer) => {
      tokens.push(...['access_token', 'refresh_token', 'id_token'].map((name) => String(answer[name])));
      return answer;
    });
    const sent = await go();
    const callback = await idp().browse(sent.location, 'sub-alice');
    const done = await finish(callback, { browser: sent.browser });
    const again = await finish(callback, { browser: sent.browser });
    const code = callback.searchParams.get('code') ?? '';
    const nonce = new URL(sent.location).searchParams.get('nonce') ?? '';
    expect([tokens.length, done.statusCode, again.statusCode]).toEqual([3, 303, 400]);
    const told = JSON.stringify([get().records, get().logged, done.headers, done.body, again.headers, again.body]);
    for (const secret of [...tokens, code, nonce, sent.browser]) expect(told).not.toContain(secret.slice(0, 20));
  });
});

describe('the login page', () => {
  it('lets people choose between several providers, and a local account', async () => {
    connect(
      {},
      {
        identityProviders: [
          { id: 'local', type: 'accounts' },
          { ...oidc(), id: 'corp' },
        ],
      },
    );
    const page = await ask('/.lictor/login', { headers: HTML });
    expect([page.statusCode, page.body.includes('<form method="post"')]).toEqual([200, true]);
    expect(page.body).toContain('<a class="button" href="/.lictor/login?idp=corp">Continue with corp</a>');
    expect(new URL((await go('/.lictor/login?idp=corp')).location).origin).toBe(idp().issuer);
    expect((await logIn()).statusCode).toBe(303);
  });

  it('knows no other provider', async () => expect((await ask('/.lictor/login?idp=evil', { headers: HTML })).statusCode).toBe(404));

  it('says so when the provider is away, with a remedy, and works again when it is back', async () => {
    idp().bends.set('/.well-known/openid-configuration', () => ({ status: 503, body: '' }));
    const page = await ask('/.lictor/login', { headers: HTML });
    expect([page.statusCode, page.headers['retry-after'], codeOf(page)]).toEqual([503, '10', 'idp-unavailable']);
    expect(page.body).toContain('Try again in a minute');
    idp().bends.clear();
    get().test.advance(3000);
    expect((await signIn()).statusCode).toBe(303);
    // The gateway does not redirect to a provider that is unavailable now.
    idp().instead.set('/.well-known/openid-configuration', { status: 503, body: '' });
    const sent = await go();
    get().test.advance(11_000);
    expect(codeOf(await ask('/.lictor/login', { headers: HTML }))).toBe('idp-unavailable');
    // A person who is already at the provider can finish: the gateway uses the known metadata.
    expect((await finish(await idp().browse(sent.location, 'sub-alice'), { browser: sent.browser })).statusCode).toBe(303);
  });

  it.each([
    ['of another issuer', (metadata: Record<string, unknown>) => ({ ...metadata, issuer: 'https://evil.example' })],
    ['of the issuer with a slash more', (metadata: Record<string, unknown>) => ({ ...metadata, issuer: `${metadata['issuer']}/` })],
    ['without keys', ({ jwks_uri: _keys, ...metadata }: Record<string, unknown>) => metadata],
    ['with plain http elsewhere', (metadata: Record<string, unknown>) => ({ ...metadata, token_endpoint: 'http://evil.example/token' })],
    ['that is a redirect', () => ({ status: 302, body: '' })],
    ['that is no JSON', () => ({ status: 200, body: '<html>', type: 'text/html' })],
    ['without end', () => ({ status: 200, body: JSON.stringify({ a: 'x'.repeat(300_000) }) })],
  ])('refuses metadata %s', async (_name, bend) => {
    idp().bends.set('/.well-known/openid-configuration', bend);
    const page = await ask('/.lictor/login', { headers: HTML });
    expect([page.statusCode, codeOf(page)]).toEqual([503, expect.stringMatching(/^idp-(misconfigured|unavailable)$/)]);
  });
});

function oidc() {
  return { type: 'oidc', issuer: idp().issuer, clientId: 'lictor', clientSecret: '', scopes: ['openid'], groupsClaim: 'groups', caFile: null } as const;
}

describe('an answer is refused', () => {
  const changed = async (change: (query: URLSearchParams, state: string) => void, browser?: string) => {
    const sent = await go();
    const callback = await idp().browse(sent.location, 'sub-alice');
    change(callback.searchParams, sent.state);
    return await finish(callback, { browser: browser ?? sent.browser });
  };
  const refused = async (answer: Awaited<ReturnType<typeof signIn>>, code: string): Promise<void> => {
    expect([codeOf(answer), sessionOfAnswer(answer)]).toEqual([code, '']);
    expect(get().records.at(-1)).toMatchObject({ action: 'session.login', decision: 'deny', reason: code, idp: 'corp' });
    expect(await get().test.store.identities.list()).toEqual([]);
  };

  it.each<[string, (query: URLSearchParams, state: string) => void, string]>([
    ['without state', (query) => query.delete('state'), 'login-unknown'],
    ['with another state', (query) => query.set('state', 'A'.repeat(22)), 'login-unknown'],
    ['with a state of another form', (query, state) => query.set('state', `${state}'--`), 'login-unknown'],
    ['with the state twice', (query, state) => query.append('state', state), 'login-answer-invalid'],
    ['with the code twice', (query) => query.append('code', 'x'), 'login-answer-invalid'],
    ['without code', (query) => query.delete('code'), 'login-answer-invalid'],
    ['with another code', (query) => query.set('code', 'x'.repeat(43)), 'login-code-refused'],
    ['of another issuer (RFC 9207)', (query) => query.set('iss', 'https://evil.example'), 'login-other-issuer'],
    ['of no issuer, where the provider promises one', (query) => query.delete('iss'), 'login-other-issuer'],
    ['that is an error', (query) => query.set('error', 'access_denied'), 'login-denied-by-idp'],
    ['with an ID token beside the code', (query) => query.set('id_token', 'a.b.c'), 'login-answer-invalid'],
    ['that is a JARM response', (query) => query.set('response', 'a.b.c'), 'login-answer-invalid'],
  ])('%s', async (_name, change, code) => {
    await refused(await changed(change), code);
  });

  it('in a browser without the cookie of the attempt, or with one of another attempt (SE-02)', async () => {
    await refused(await changed(() => undefined, ''), 'login-other-browser');
    await refused(await changed(() => undefined, (await go()).browser), 'login-other-browser');
  });

  it('a second time', async () => {
    const sent = await go();
    const callback = await idp().browse(sent.location, 'sub-bob');
    await finish(callback, { browser: sent.browser });
    await refused(await finish(callback, { browser: sent.browser }), 'login-unknown');
  });

  it('after the attempt has grown old', async () => {
    const sent = await go();
    const callback = await idp().browse(sent.location, 'sub-alice');
    get().test.advance(16 * 60_000);
    await refused(await finish(callback, { browser: sent.browser }), 'login-unknown');
  });

  it('with the code of another attempt: its PKCE verifier does not fit', async () => {
    const [mine, theirs] = [await go(), await go()];
    const stolen = await idp().browse(theirs.location, 'sub-alice');
    stolen.searchParams.set('state', mine.state);
    await refused(await finish(stolen, { browser: mine.browser }), 'login-code-refused');
  });

  it('at the callback of another provider', async () => {
    const sent = await go();
    const callback = await idp().browse(sent.location, 'sub-alice');
    callback.pathname = '/.lictor/callback/other';
    expect((await finish(callback, { browser: sent.browser })).statusCode).toBe(404);
  });

  it.each<[string, { status: number; body: string }, string]>([
    ['is broken', { status: 500, body: '{"error":"server_error"}' }, 'idp-unavailable'],
    ['does not know the gateway', { status: 401, body: '{"error":"invalid_client"}' }, 'idp-misconfigured'],
    ['is a redirect', { status: 302, body: '' }, 'idp-misconfigured'],
    ['talks HTML', { status: 502, body: '<html>' }, 'idp-unavailable'],
  ])('while the token endpoint %s', async (_name, answer, code) => {
    idp().bends.set('/token', () => answer);
    await refused(await signIn(), code);
  });
});

describe('an ID token is refused', () => {
  type Claims = Record<string, unknown>;
  const payloadOf = (token: unknown): Claims => JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString());
  /** The provider's answer with another ID token, from the claims of the real one. */
  const replaced = async (make: (claims: Claims, token: string) => unknown) => {
    idp().bends.set('/token', async (answer) => ({ ...answer, id_token: await make(payloadOf(answer['id_token']), String(answer['id_token'])) }));
    return await signIn();
  };
  const base64url = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const hmac = (claims: Claims, key: string): string => {
    const signed = `${base64url({ alg: 'HS256', kid: KEY_ID })}.${base64url(claims)}`;
    return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
  };
  const foreign = async (claims: Claims, header: Record<string, unknown>) => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk: JWK = await exportJWK(publicKey);
    return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', ...header, ...(header['jwk'] === true && { jwk }) }).sign(privateKey);
  };
  const publicKey = async (): Promise<string> => JSON.stringify(await (await fetch(`${idp().issuer}/jwks`)).json());

  it('twin: a token that is only signed again is accepted', async () => expect((await replaced((claims) => idp().sign(claims))).statusCode).toBe(303));

  it('twin: azp may name this client, and the clocks may differ a little', async () => {
    expect((await replaced((claims) => idp().sign({ ...claims, azp: 'lictor', iat: Number(claims['iat']) + 15 }))).statusCode).toBe(303);
  });

  it('twin: at_hash may stand there when it is right, and may be missing', async () => {
    const rightly = (answer: Record<string, unknown>) =>
      createHash('sha256').update(String(answer['access_token'])).digest().subarray(0, 16).toString('base64url');
    for (const hash of [rightly, () => undefined]) {
      idp().bends.set('/token', async (answer) => ({ ...answer, id_token: await idp().sign({ ...payloadOf(answer['id_token']), at_hash: hash(answer) }) }));
      expect((await signIn()).statusCode).toBe(303);
    }
  });

  it.each<[string, (claims: Claims, token: string) => unknown, string]>([
    ['for want of it', () => undefined, 'id-token-invalid'],
    ['that is no token', () => 'x', 'id-token-invalid'],
    ['without signature (alg none)', (claims) => `${base64url({ alg: 'none' })}.${base64url(claims)}.`, 'id-token-invalid'],
    ['without signature (alg None)', (claims) => `${base64url({ alg: 'None' })}.${base64url(claims)}.`, 'id-token-invalid'],
    ['with its signature cut off', (_claims, token) => token.replace(/\.[^.]+$/, '.'), 'id-token-invalid'],
    [
      'with other claims under the signature',
      (claims, token) => token.replace(/\.[^.]+\./, `.${base64url({ ...claims, groups: ['platform', 'more'] })}.`),
      'id-token-invalid',
    ],
    ['by the client secret (HS256)', (claims) => hmac(claims, idp().client.secret), 'id-token-invalid'],
    ['by the public key as secret (JW-01)', async (claims) => hmac(claims, await publicKey()), 'id-token-invalid'],
    ['by another key under the same kid', (claims) => foreign(claims, { kid: KEY_ID }), 'id-token-invalid'],
    ['by a key in its header (JW-02)', (claims) => foreign(claims, { jwk: true }), 'id-token-invalid'],
    [
      'by a key at an address in its header',
      (claims) => foreign(claims, { kid: KEY_ID, jku: 'http://127.0.0.1:1/jwks', x5u: 'http://127.0.0.1:1/x' }),
      'id-token-invalid',
    ],
    ['by an unknown key', (claims) => foreign(claims, { kid: '../../dev/null' }), 'id-token-invalid'],
    ['of another issuer', (claims) => idp().sign({ ...claims, iss: 'https://evil.example' }), 'id-token-invalid'],
    ['of the issuer with a slash', (claims) => idp().sign({ ...claims, iss: `${claims['iss']}/` }), 'id-token-invalid'],
    ['without issuer', ({ iss: _iss, ...claims }) => idp().sign(claims), 'id-token-invalid'],
    ['for another client', (claims) => idp().sign({ ...claims, aud: 'other' }), 'id-token-invalid'],
    ['for several, without azp', (claims) => idp().sign({ ...claims, aud: ['lictor', 'other'] }), 'id-token-invalid'],
    ['for several, meant for another', (claims) => idp().sign({ ...claims, aud: ['lictor', 'other'], azp: 'other' }), 'id-token-invalid'],
    ['without audience', ({ aud: _aud, ...claims }) => idp().sign(claims), 'id-token-invalid'],
    ['made for another (azp)', (claims) => idp().sign({ ...claims, azp: 'other' }), 'id-token-invalid'],
    [
      'dated next year',
      (claims) => idp().sign({ ...claims, iat: Number(claims['iat']) + 31_536_000, exp: Number(claims['exp']) + 31_536_000 }),
      'id-token-invalid',
    ],
    ['dated a minute ahead', (claims) => idp().sign({ ...claims, iat: Number(claims['iat']) + 60 }), 'id-token-invalid'],
    ['that has expired', (claims) => idp().sign({ ...claims, exp: Math.floor(Date.now() / 1000) - 3600 }), 'id-token-invalid'],
    ['without end', ({ exp: _exp, ...claims }) => idp().sign(claims), 'id-token-invalid'],
    ['without beginning', ({ iat: _iat, ...claims }) => idp().sign(claims), 'id-token-invalid'],
    ['that begins later', (claims) => idp().sign({ ...claims, nbf: Math.floor(Date.now() / 1000) + 3600 }), 'id-token-invalid'],
    ['without subject', ({ sub: _sub, ...claims }) => idp().sign(claims), 'id-token-invalid'],
    ['with times that are no numbers', (claims) => idp().sign({ ...claims, exp: '9999999999' }), 'id-token-invalid'],
    ['with another nonce', (claims) => idp().sign({ ...claims, nonce: 'another' }), 'id-token-other-login'],
    ['without nonce', ({ nonce: _nonce, ...claims }) => idp().sign(claims), 'id-token-other-login'],
    ['given with another access token (at_hash)', (claims) => idp().sign({ ...claims, at_hash: '77QmUPtjPfzWtF2AnpK9RQ' }), 'id-token-invalid'],
    ['with an at_hash that is no text', (claims) => idp().sign({ ...claims, at_hash: null }), 'id-token-invalid'],
    ['with too many groups to tell', (claims) => idp().sign({ ...claims, groups: undefined, _claim_names: { groups: 'src1' } }), 'groups-overage'],
    ['with groups that are no names', (claims) => idp().sign({ ...claims, groups: { a: 1 } }), 'groups-unreadable'],
  ])('%s', async (_name, make, code) => {
    const answer = await replaced(make);
    expect([codeOf(answer), sessionOfAnswer(answer)]).toEqual([code, '']);
    expect(get().records.at(-1)).toMatchObject({ decision: 'deny', reason: code });
    expect(idp().requests.filter((line) => !/ \/(token|jwks|auth|interaction|me|\.well-known)/.test(line))).toEqual([]);
  });
});

describe('groups', () => {
  const withoutGroups = (): void => {
    idp().bends.set('/token', async (answer) => {
      const claims: Record<string, unknown> = JSON.parse(Buffer.from(String(answer['id_token']).split('.')[1] ?? '', 'base64url').toString());
      return { ...answer, id_token: await idp().sign({ ...claims, groups: undefined }) };
    });
  };

  it('that are not in the ID token are asked for at userinfo', async () => {
    withoutGroups();
    expect((await signIn()).statusCode).toBe(303);
    expect(idp().requests).toContain('GET /me');
  });

  it('are not asked for when the ID token has them', async () => {
    expect((await signIn()).statusCode).toBe(303);
    expect(idp().requests).not.toContain('GET /me');
  });

  it.each<[string, (userinfo: Record<string, unknown>) => Record<string, unknown>, string]>([
    ['of somebody else', (userinfo) => ({ ...userinfo, sub: 'sub-bob' }), 'id-token-invalid'],
    ['with too many groups to tell', ({ groups: _groups, ...userinfo }) => ({ ...userinfo, hasgroups: true }), 'groups-overage'],
    ['that is broken', () => ({ status: 500, body: '' }), 'idp-unavailable'],
    ['with no group', ({ groups: _groups, ...userinfo }) => userinfo, 'role-missing'],
  ])('userinfo %s is no login', async (_name, bend, code) => {
    withoutGroups();
    idp().bends.set('/me', bend);
    expect(codeOf(await signIn())).toBe(code);
  });

  it('may stand at a path', async () => {
    connect({ groupsClaim: 'realm_access.roles' });
    idp().bends.set('/me', (userinfo) => ({ ...userinfo, realm_access: { roles: ['platform'] } }));
    expect((await signIn('sub-bob')).statusCode).toBe(303);
  });
});

describe("the provider's keys", () => {
  const rotated = async (kid: string) => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    idp().bends.set('/token', async (answer) => {
      const claims: Record<string, unknown> = JSON.parse(Buffer.from(String(answer['id_token']).split('.')[1] ?? '', 'base64url').toString());
      return { ...answer, id_token: await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey) };
    });
    idp().bends.set('/.well-known/openid-configuration', (metadata) => ({ ...metadata, id_token_signing_alg_values_supported: ['RS256', 'ES256'] }));
    return { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
  };

  it('may change just before a login; a key that cannot be read is no hindrance', async () => {
    const key = await rotated('new-key');
    const signedIn = await (async () => {
      idp().bends.set('/jwks', (jwks) => jwks);
      return await signIn();
    })();
    expect(codeOf(signedIn)).toBe('id-token-invalid');
    idp().bends.set('/jwks', (jwks) => ({ keys: [{ kty: 'XYZ', kid: 'odd' }, { kty: 'RSA', kid: 'broken', n: '!', e: '' }, ...keysOf(jwks), key] }));
    expect((await signIn()).statusCode).toBe(303);
  });

  it('that cannot be had are no reason to believe a token', async () => {
    idp().bends.set('/jwks', () => ({ status: 500, body: '' }));
    expect(codeOf(await signIn())).toBe('idp-unavailable');
  });
});

function keysOf(jwks: Record<string, unknown>): readonly unknown[] {
  const { keys } = jwks;
  return Array.isArray(keys) ? keys : [];
}
