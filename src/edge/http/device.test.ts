// Logins of a command line with a built-in account: start, allow, poll, use, refresh, end, and every attempt that must fail.
import { createLocalJWKSet, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { createTokenText, type TokenPrefix } from '../../identity/authn/service-token/token-text.ts';
import { deviceClient } from './device.fixture.ts';
import { CLI_LIFE_MS, cookieOf, HTML, useOwnApp } from './own-app.fixture.ts';

const own = useOwnApp();
const { get, ask, logIn } = own;
const { begin, poll, refresh, revoke, allow, page, fieldsOn, obtained, use } = deviceClient(own);

/** The token with another last letter. */
const altered = (text: unknown): string => String(text).replace(/.$/, (last) => (last === '0' ? '1' : '0'));

const signIn = async (): Promise<string> => cookieOf(await logIn());

describe('a login of the command line', () => {
  it('begins with a code for the device and one for the person', async () => {
    const answer = await begin();
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.json()).toEqual({
      device_code: expect.stringMatching(/^lcd_[0-9a-z]{68}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: 'http://localhost:8200/.lictor/device',
      verification_uri_complete: expect.stringMatching(/^http:\/\/localhost:8200\/\.lictor\/device\?user_code=[A-Z]{4}-[A-Z]{4}$/),
      expires_in: 600,
      interval: 5,
    });
  });

  it('is pending until a signed-in person allows it, then is that person, for ten minutes and refreshes', async () => {
    const begun = (await begin()).json();
    expect(await poll(begun.device_code)).toMatchObject({ statusCode: 400, error: 'authorization_pending', code: 'device-pending' });
    const session = await signIn();
    const shown = await page(begun.user_code, session);
    expect(shown.statusCode).toBe(200);
    for (const text of ['Lictor command line', 'alice@local', 'localhost:8200', begun.user_code, '192.0.2.1']) expect(shown.body).toContain(text);
    const done = await allow(begun.user_code, session);
    expect([done.statusCode, done.body]).toEqual([200, expect.stringContaining('You are logged in')]);
    get().test.advance(6000);
    const tokens = await poll(begun.device_code);
    expect(tokens).toMatchObject({ statusCode: 200, token_type: 'Bearer', expires_in: 600, scope: 'prefect:read prefect:run prefect:write lictor:admin' });
    expect(String(tokens['access_token'])).toMatch(/^lcu_[0-9a-z]{68}$/);
    expect(await use(tokens['access_token'])).toMatchObject({
      principal: 'alice@local',
      principal_kind: 'user',
      roles: ['admin'],
      credential_id: expect.stringMatching(/^login:/),
    });
    expect(tokens).not.toHaveProperty('id_token');
    get().test.advance(600_000);
    expect(await use(tokens['access_token'])).toMatchObject({ code: 'credential-expired' });
    const fresh = await refresh(tokens['refresh_token']);
    expect(fresh).toMatchObject({ statusCode: 200, expires_in: 600 });
    expect(await use(fresh['access_token'])).toMatchObject({ principal: 'alice@local' });
  });

  it('is recorded from the click to its end, and no token or code is in any record or log', async () => {
    const tokens = await obtained(await signIn());
    await refresh(tokens['refresh_token']);
    const { records, logged } = get();
    expect(records.map(({ action, decision, principal }) => [action, decision, principal])).toEqual([
      ['session.login', 'allow', 'alice@local'],
      ['device.allow', 'allow', 'alice@local'],
      ['token.device', 'allow', 'alice@local'],
      ['token.refresh', 'allow', 'alice@local'],
    ]);
    expect(records.map(({ grants }) => grants?.map(({ role, rules }) => [role, rules]) ?? null)).toEqual([
      ...Array(2).fill([['admin', ['account alice']]]),
      null,
      null,
    ]);
    const ids = new Set(records.slice(1).map(({ grant_id }) => grant_id));
    expect(ids.size).toBe(1);
    expect(records.at(-1)).toMatchObject({ credential_id: `login:${[...ids][0]}`, principal_kind: 'user', idp: 'local' });
    const everything = JSON.stringify([records, logged]);
    for (const secret of [tokens['access_token'], tokens['refresh_token'], tokens['device_code'], tokens['user_code']])
      expect(everything).not.toContain(String(secret));
  });

  it('outlives the session in which it was allowed, and ends after its own time', async () => {
    const session = await signIn();
    const tokens = await obtained(session);
    await own.post('/.lictor/logout', {}, { session });
    expect(await own.me(session)).toBe(401);
    expect(await use(tokens['access_token'])).toMatchObject({ principal: 'alice@local' });
    get().test.advance(CLI_LIFE_MS);
    expect(await refresh(tokens['refresh_token'])).toMatchObject({ statusCode: 400, error: 'invalid_grant', code: 'login-ended' });
  });

  it('ends earlier after a limit becomes shorter, and the client gets the new end with its next tokens', async () => {
    const session = await signIn();
    const began = get().test.clock();
    const begun = (await begin()).json();
    await allow(begun.user_code, session);
    get().cliLifeMs = 300_000;
    get().test.advance(6000);
    const tokens = await poll(begun.device_code);
    expect(tokens).toMatchObject({ statusCode: 200, expires_in: 294 });
    expect(await use(tokens['access_token'])).toMatchObject({ expires_at: new Date(began + 300_000).toISOString() });
    get().test.advance(200_000);
    const fresh = await refresh(tokens['refresh_token']);
    expect(fresh).toMatchObject({ statusCode: 200, expires_in: 94 });
    get().test.advance(94_000);
    expect(await use(fresh['access_token'])).toMatchObject({ code: 'credential-expired' });
    expect(await refresh(fresh['refresh_token'])).toMatchObject({ statusCode: 400, code: 'login-ended' });
  });

  it('gives an ID token when it is asked for, by a key that is published', async () => {
    const tokens = await obtained(await signIn(), { scope: 'openid prefect:read' });
    expect(tokens['scope']).toBe('prefect:read');
    const { keys } = (await ask('/.well-known/lictor-jwks.json')).json();
    expect(JSON.stringify(keys)).not.toContain('"d"');
    const { payload, protectedHeader } = await verifyWith(String(tokens['id_token']), keys);
    expect(protectedHeader.alg).toBe('ES256');
    expect(payload).toMatchObject({ iss: 'http://localhost:8200', sub: 'alice@local', aud: 'lictor-cli' });
    // The token gives no access.
    expect(await use(String(tokens['id_token']))).toMatchObject({ code: expect.stringMatching(/^(?:jwt|credential)-/) });
  });
});

async function verifyWith(token: string, keys: unknown) {
  return await jwtVerify(token, createLocalJWKSet({ keys: Array.isArray(keys) ? keys : [] }), { currentDate: new Date(get().test.clock()) });
}

describe('is not let in', () => {
  it('without a click: neither opening the address, nor a form without the proof of its page, nor one from elsewhere', async () => {
    const session = await signIn();
    const begun = (await begin()).json();
    const other = (await begin()).json();
    await page(begun.user_code, session);
    const proofOfOther = String((await fieldsOn(other['user_code'], session))['proof']);
    const { device = '' } = await fieldsOn(begun.user_code, session);
    for (const fields of [{ device }, { device, proof: '' }, { device, proof: proofOfOther }, { device, proof: 'A'.repeat(80) }]) {
      expect((await own.post('/.lictor/device', { ...fields, decision: 'allow' }, { session })).statusCode, JSON.stringify(fields)).toBe(403);
    }
    const proof = String((await fieldsOn(begun.user_code, session))['proof']);
    expect((await own.post('/.lictor/device', { device, proof, decision: 'allow' }, { session, sameOrigin: false })).statusCode).toBe(403);
    const another = await signIn();
    expect((await own.post('/.lictor/device', { device, proof, decision: 'allow' }, { session: another })).statusCode, 'a proof of another session').toBe(403);
    expect((await own.post('/.lictor/device', { device, proof, decision: 'allow' })).statusCode, 'no session').toBe(401);
    expect((await own.post('/.lictor/device', { device, proof }, { session })).statusCode, 'no decision').toBe(400);
    expect(await poll(begun.device_code)).toMatchObject({ error: 'authorization_pending' });
    expect((await own.post('/.lictor/device', { device, proof, decision: 'allow' }, { session })).statusCode).toBe(200);
  });

  it('by a refusal: the device gets an error, now and later', async () => {
    const session = await signIn();
    const begun = (await begin()).json();
    expect((await allow(begun.user_code, session, 'refuse')).body).toContain('Refused');
    expect(await poll(begun.device_code)).toMatchObject({ error: 'access_denied', code: 'device-denied' });
    expect((await allow(begun.user_code, session)).statusCode).toBe(400);
    expect(get().records.at(-1)).toMatchObject({ decision: 'deny', action: 'token.device' });
  });

  it('with a code that is wrong, used, too old, or of another client', async () => {
    const session = await signIn();
    expect((await page('BCDF-GHJK', session)).statusCode).toBe(400);
    expect((await page('<script>', session)).body).not.toContain('<script>');
    const tokens = await obtained(session);
    expect((await page(String(tokens['user_code']), session)).statusCode).toBe(400);
    expect(await poll(String(tokens['device_code']))).toMatchObject({ error: 'invalid_grant', code: 'device-unknown' });
    expect(await poll(altered(tokens['device_code']))).toMatchObject({ error: 'invalid_grant' });
    const begun = (await begin()).json();
    expect(await poll(begun.device_code, { client_id: 'somebody' })).toMatchObject({ error: 'invalid_client', code: 'client-unknown' });
    get().test.advance(600_000);
    expect((await page(begun.user_code, session)).statusCode).toBe(400);
    expect(await poll(begun.device_code)).toMatchObject({ error: 'expired_token', code: 'device-expired' });
  });

  it('by guessing: after ten wrong codes a person, and the address, wait a minute', async () => {
    const session = await signIn();
    const begun = (await begin()).json();
    for (let index = 0; index < 10; index += 1) expect((await page('BCDF-GHJK', session)).statusCode).toBe(400);
    expect((await page(begun.user_code, session)).statusCode).toBe(429);
    get().test.advance(60_000);
    expect((await page(begun.user_code, session)).statusCode).toBe(200);
  });

  it('of a client that nobody knows, for scopes or a gateway that are none', async () => {
    expect((await begin({ client_id: 'mcp' })).json()).toMatchObject({ error: 'invalid_client', code: 'client-unknown' });
    expect((await begin({ scope: 'prefect:read root' })).json()).toMatchObject({ error: 'invalid_scope' });
    expect((await begin({ resource: 'https://other.example' })).json()).toMatchObject({ error: 'invalid_target' });
    for (let index = 0; index < 30; index += 1) await begin();
    expect((await begin()).statusCode).toBe(429);
  });

  it("by a page of another site, which also takes nothing from other people at its visitor's address", async () => {
    const session = await signIn();
    const tokens = await obtained(session);
    for (const path of ['token', 'device_authorization', 'revoke']) {
      const fields = {
        client_id: 'lictor-cli',
        grant_type: 'refresh_token',
        refresh_token: String(tokens['refresh_token']),
        token: String(tokens['refresh_token']),
      };
      for (let index = 0; index < 40; index += 1) {
        const answer = await own.post(`/.lictor/oauth/${path}`, fields, { sameOrigin: false, foreignOrigin: true });
        expect([answer.statusCode, answer.json()], path).toMatchObject([403, { code: 'origin-foreign' }]);
      }
    }
    expect((await begin()).statusCode).toBe(200);
    expect(await refresh(tokens['refresh_token'])).toMatchObject({ statusCode: 200 });
  });

  it('before anybody is signed in: the page leads to the login, and back', async () => {
    const answer = await ask('/.lictor/device?user_code=BCDF-GHJK', { headers: HTML });
    expect(answer.statusCode).toBe(302);
    const done = await logIn({ attempt: new URL(String(answer.headers.location), 'http://x').searchParams.get('attempt') ?? '' });
    expect(done.headers.location).toBe('/.lictor/device?user_code=BCDF-GHJK');
    expect((await ask('/.lictor/device')).statusCode, 'no page is wanted').toBe(401);
  });

  it('while it cannot be recorded', async () => {
    const session = await signIn();
    const begun = (await begin()).json();
    const fields = await fieldsOn(begun.user_code, session);
    get().ledgerBroken = true;
    expect((await own.post('/.lictor/device', { ...fields, decision: 'allow' }, { session })).statusCode).toBe(503);
    expect(await poll(begun.device_code)).toMatchObject({ error: 'authorization_pending' });
    get().ledgerBroken = false;
    await own.post('/.lictor/device', { ...fields, decision: 'allow' }, { session });
    get().ledgerBroken = true;
    get().test.advance(6000);
    expect(await poll(begun.device_code)).toMatchObject({ statusCode: 503, code: 'ledger-unavailable' });
    get().ledgerBroken = false;
    get().test.advance(6000);
    expect(await poll(begun.device_code)).toMatchObject({ statusCode: 200 });
  });

  it('sooner than the interval: slow_down, and longer from then on', async () => {
    const begun = (await begin()).json();
    await poll(begun.device_code);
    expect(await poll(begun.device_code)).toMatchObject({ error: 'slow_down', code: 'device-slow-down' });
    get().test.advance(6000);
    expect(await poll(begun.device_code)).toMatchObject({ error: 'slow_down' });
    get().test.advance(15_000);
    expect(await poll(begun.device_code)).toMatchObject({ error: 'authorization_pending' });
  });
});

describe('ends', () => {
  it('for everybody when a refresh token comes twice', async () => {
    const tokens = await obtained(await signIn());
    const fresh = await refresh(tokens['refresh_token']);
    expect(await refresh(tokens['refresh_token'])).toMatchObject({ statusCode: 400, error: 'invalid_grant', code: 'refresh-replayed' });
    expect(await use(fresh['access_token'])).toMatchObject({ code: 'login-ended' });
    expect(await refresh(fresh['refresh_token'])).toMatchObject({ error: 'invalid_grant', code: 'login-ended' });
    expect(get().records.find(({ reason }) => reason === 'refresh-replayed')).toMatchObject({ decision: 'deny', grant_id: expect.any(String) });
    expect(get().syncs).toBe(1);
  });

  it('of two refreshes at once, one is a replay', async () => {
    const tokens = await obtained(await signIn());
    const both = await Promise.all([refresh(tokens['refresh_token']), refresh(tokens['refresh_token'])]);
    expect(both.map(({ statusCode }) => statusCode).sort()).toEqual([200, 400]);
    expect(await use(both.find(({ statusCode }) => statusCode === 200)?.['access_token'])).toMatchObject({ code: 'login-ended' });
  });

  it('by lictor logout: the refresh token is revoked, the access tokens with it, at once; another login stays', async () => {
    const session = await signIn();
    const [tokens, other] = [await obtained(session), await obtained(session)];
    expect((await revoke(tokens['refresh_token'])).statusCode).toBe(200);
    expect(await use(tokens['access_token'])).toMatchObject({ code: 'login-ended' });
    expect(await refresh(tokens['refresh_token'])).toMatchObject({ error: 'invalid_grant' });
    expect(await use(other['access_token'])).toMatchObject({ principal: 'alice@local' });
    expect([get().syncs, get().records.at(-2)]).toEqual([1, expect.objectContaining({ action: 'token.revoke' })]);
    expect((await revoke('lcr_nothing')).statusCode).toBe(200);
    expect((await own.post('/.lictor/oauth/revoke', {})).statusCode).toBe(400);
    expect((await revoke(other['access_token'])).statusCode).toBe(200);
    expect(await use(other['access_token'])).toMatchObject({ code: 'credential-unknown' });
    expect(await refresh(other['refresh_token'])).toMatchObject({ statusCode: 200 });
  });

  it('with the account, and with its password', async () => {
    const tokens = await obtained(await signIn());
    await get().test.store.accounts.setPassword('alice', get().phc);
    expect(await use(tokens['access_token'])).toMatchObject({ code: 'login-ended' });
    const again = await obtained(await signIn());
    await get().test.store.accounts.remove('alice');
    expect(await use(again['access_token'])).not.toHaveProperty('principal');
    expect(await refresh(again['refresh_token'])).toMatchObject({ error: 'invalid_grant' });
  });

  it('while the person or the address is locked', async () => {
    const tokens = await obtained(await signIn());
    for (const lock of [
      { kind: 'principal', value: 'alice@local' },
      { kind: 'idp', value: 'local' },
    ] as const) {
      await get().test.store.locks.put({ ...lock, why: '', by: 'local:root', expiresMs: null });
      expect(await use(tokens['access_token'])).toMatchObject({ code: 'locked' });
      expect(await refresh(tokens['refresh_token'])).toMatchObject({ error: 'invalid_grant', code: 'locked' });
      await get().test.store.locks.remove(lock);
    }
    expect(await refresh(tokens['refresh_token'])).toMatchObject({ statusCode: 200 });
  });

  it('is unchanged by what a refresh asks beyond it', async () => {
    const tokens = await obtained(await signIn(), { scope: 'prefect:read' });
    expect(await refresh(tokens['refresh_token'], { scope: 'prefect:read prefect:write' })).toMatchObject({ error: 'invalid_scope' });
    expect(await refresh(tokens['refresh_token'], { resource: 'http://localhost:8200/.lictor/mcp' })).toMatchObject({ error: 'invalid_target' });
    expect(await refresh(tokens['refresh_token'], { client_id: 'other' })).toMatchObject({ error: 'invalid_client' });
    expect(await refresh(altered(tokens['refresh_token']))).toMatchObject({ error: 'invalid_grant', code: 'refresh-unknown' });
    expect(await refresh(tokens['refresh_token'], { scope: 'prefect:read' })).toMatchObject({ statusCode: 200, scope: 'prefect:read' });
  });
});

it('a token for the interface of agents is refused at the API', async () => {
  const tokens = await obtained(await signIn(), { resource: 'http://localhost:8200/.lictor/mcp' });
  expect(await use(tokens['access_token'])).toMatchObject({ code: 'token-audience' });
});

describe('the secret of a token decides, not its id', () => {
  /** A well-formed token with the same id and another valid secret. */
  const forged = (text: unknown, prefix: TokenPrefix): string => createTokenText(String(text).slice(4, 14), prefix).text;

  it('a forged device code gets no tokens; twin: the real one does', async () => {
    const session = await signIn();
    const begun = (await begin()).json();
    await allow(begun.user_code, session);
    get().test.advance(6000);
    expect(await poll(forged(begun.device_code, 'lcd_'))).toMatchObject({ error: 'invalid_grant', code: 'device-unknown' });
    expect(await poll(begun.device_code)).toMatchObject({ statusCode: 200 });
  });

  it('a forged access token or refresh token ends no login; twin: the real one does', async () => {
    const tokens = await obtained(await signIn());
    await revoke(forged(tokens['access_token'], 'lcu_'));
    await revoke(forged(tokens['refresh_token'], 'lcr_'));
    expect(await use(forged(tokens['access_token'], 'lcu_'))).toMatchObject({ code: 'credential-unknown' });
    expect(await use(tokens['access_token'])).toMatchObject({ principal: 'alice@local' });
    await revoke(tokens['access_token']);
    expect(await use(tokens['access_token'])).toMatchObject({ code: 'credential-unknown' });
  });
});

it('a refresh token or a device code is no credential', async () => {
  const tokens = await obtained(await signIn());
  for (const text of [tokens['refresh_token'], tokens['device_code']]) expect(await use(text)).toMatchObject({ code: 'credential-malformed' });
});

it('the metadata names what there is, and a client without redirect URIs gets no code', async () => {
  for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']) {
    expect((await ask(path)).json()).toMatchObject({
      issuer: 'http://localhost:8200',
      device_authorization_endpoint: 'http://localhost:8200/.lictor/oauth/device_authorization',
      token_endpoint: 'http://localhost:8200/.lictor/oauth/token',
      revocation_endpoint: 'http://localhost:8200/.lictor/oauth/revoke',
      jwks_uri: 'http://localhost:8200/.well-known/lictor-jwks.json',
    });
  }
  expect((await ask('/.well-known/oauth-protected-resource')).json()).toMatchObject({
    resource: 'http://localhost:8200',
    authorization_servers: ['http://localhost:8200'],
  });
  const query = 'response_type=code&client_id=lictor-cli&redirect_uri=http://localhost/';
  const answer = await ask(`/.lictor/oauth/authorize?${query}`, { session: await signIn(), headers: HTML });
  expect([answer.statusCode, answer.body]).toEqual([400, expect.stringContaining('redirect-unknown')]);
  expect((await own.post('/.lictor/oauth/token', { grant_type: 'password', code: 'x' })).json()).toMatchObject({ error: 'unsupported_grant_type' });
});
