// A session from an OpenID Provider: refresh, its failures, logout on both sides, back-channel logout (SE-03, SE-04, JW-05).
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { CONFIRM_LIMITS } from '../../identity/authn/external/confirm.ts';
import { sessionOfAnswer, useOidcApp } from './oidc.fixture.ts';
import { HTML } from './own-app.fixture.ts';

const { get, idp, ask, post, connect, signIn, me } = useOidcApp();

const TOKEN_MS = 60_000;
const signedIn = async (subject = 'sub-alice'): Promise<string> => sessionOfAnswer(await signIn(subject));
const whoAmI = async (session: string) => (await ask('/.lictor/api/v1/me', { session })).json();
const tokenCalls = (): number => idp().requests.filter((line) => line === 'POST /token').length;
/** The time of the next question to the provider. */
const untilDue = (): void => get().test.advance(TOKEN_MS + 1000);

describe('a session that is due', () => {
  it('is confirmed once for fifty requests at a time, and all of them are answered (SE-04)', async () => {
    const session = await signedIn();
    for (const round of [1, 2]) {
      untilDue();
      const before = tokenCalls();
      const answers = await Promise.all(Array.from({ length: 50 }, () => me(session)));
      expect([new Set(answers), tokenCalls() - before], `round ${round}`).toEqual([new Set([200]), 1]);
    }
    expect(get().endings).toEqual([]);
  });

  it('of another provider than the one that its id stands for now is over, and that one is not asked about it', async () => {
    const [early, due] = [await signedIn(), await signedIn()];
    connect({ issuer: 'https://other.example' });
    expect(await me(early)).toBe(401);
    get().test.advance(TOKEN_MS + 1000);
    expect([await me(due), get().logged]).toEqual([401, []]);
    connect({ clientSecret: 'another one' });
    expect(await me(early)).toBe(200);
  });

  it('is left alone until then', async () => {
    const session = await signedIn();
    get().test.advance(TOKEN_MS - 5000);
    expect([await me(session), tokenCalls()]).toEqual([200, 1]);
  });

  it('takes new groups over, and raises the change number (SE-03)', async () => {
    const session = await signedIn();
    const before = await get().test.store.changeNumber();
    idp().accounts.set('sub-alice', { preferred_username: 'alice', groups: ['team-a'] });
    expect((await whoAmI(session)).roles).toEqual(['admin']);
    untilDue();
    expect((await whoAmI(session)).roles).toEqual(['viewer']);
    expect(await get().test.store.changeNumber()).toBeGreaterThan(before);
  });

  it('ends when no role is left, and so do the rights of the other sessions', async () => {
    const [one, two] = [await signedIn(), await signedIn()];
    idp().accounts.set('sub-alice', { preferred_username: 'alice', groups: [] });
    untilDue();
    expect(await me(one)).toBe(401);
    expect(get().endings).toEqual(['role-missing']);
    expect(await me(two)).toBe(401);
  });

  it('of a locked person stays locked under the new name from the provider', async () => {
    const session = await signedIn();
    await get().test.store.locks.put({ kind: 'principal', value: 'alice@corp', why: 'left', by: 'local:root', expiresMs: null });
    idp().accounts.set('sub-alice', { preferred_username: 'alice.two', groups: ['platform'] });
    untilDue();
    // This asks the provider. The change number increases, so a concurrent decision is made again.
    const before = await get().test.store.changeNumber();
    await whoAmI(session);
    expect(await get().test.store.changeNumber()).toBeGreaterThan(before);
    expect(await get().test.store.identities.byName('corp', 'alice.two')).toBeDefined();
    expect((await whoAmI(session)).code).toBe('locked');
  });

  it('ends when the provider says so', async () => {
    const session = await signedIn();
    idp().bends.set('/token', () => ({ status: 400, body: '{"error":"invalid_grant","error_description":"User disabled"}' }));
    untilDue();
    expect([await me(session), get().endings]).toEqual([401, ['session-expired']]);
    idp().bends.clear();
    expect(await me(session)).toBe(401);
  });

  it.each<[string, (claims: Record<string, unknown>) => Record<string, unknown>, string]>([
    ['of another subject', (claims) => ({ ...claims, sub: 'sub-bob' }), 'id-token-invalid'],
    ['of another issuer', (claims) => ({ ...claims, iss: 'https://evil.example' }), 'id-token-invalid'],
    ['for another client', (claims) => ({ ...claims, aud: 'other' }), 'id-token-invalid'],
    ['dated next year', (claims) => ({ ...claims, iat: Number(claims['iat']) + 31_536_000, exp: Number(claims['exp']) + 31_536_000 }), 'id-token-invalid'],
    ['made for another client (azp)', (claims) => ({ ...claims, azp: 'other' }), 'id-token-invalid'],
    ['with too many groups to tell', (claims) => ({ ...claims, groups: undefined, hasgroups: true }), 'groups-overage'],
  ])('ends when the new ID token is %s', async (_name, change, reason) => {
    const session = await signedIn();
    idp().bends.set('/token', async (answer) => {
      const claims: Record<string, unknown> = JSON.parse(Buffer.from(String(answer['id_token']).split('.')[1] ?? '', 'base64url').toString());
      return { ...answer, id_token: await idp().sign(change(claims)) };
    });
    untilDue();
    expect([await me(session), get().endings]).toEqual([401, [reason]]);
  });

  it('continues without a new ID token or refresh token: userinfo has the groups', async () => {
    const session = await signedIn();
    let stored: unknown;
    idp().bends.set('/token', ({ id_token: _id, refresh_token: rotated, ...answer }) => {
      stored = rotated;
      return answer;
    });
    idp().accounts.set('sub-alice', { preferred_username: 'alice', groups: ['team-a'] });
    untilDue();
    expect((await whoAmI(session)).roles).toEqual(['viewer']);
    expect([typeof stored, idp().requests.includes('GET /me')]).toEqual(['string', true]);
  });

  it('without a refresh token is never asked about', async () => {
    idp().bends.set('/token', ({ refresh_token: _refresh, ...answer }) => answer);
    const session = await signedIn();
    get().test.advance(30 * 60_000);
    expect([await me(session), tokenCalls()]).toEqual([200, 1]);
  });
});

describe('while the provider is away', () => {
  it.each([
    ['answers 503', { status: 503, body: '' }],
    ['does not know the gateway any more', { status: 401, body: '{"error":"invalid_client"}' }],
  ])('(it %s) a session lives on for a bounded time, and the provider is asked now and then', async (_name, answer) => {
    const session = await signedIn();
    idp().instead.set('/token', answer);
    untilDue();
    expect([await me(session), await me(session), await me(session), tokenCalls()]).toEqual([200, 200, 200, 2]);
    get().test.advance(CONFIRM_LIMITS.retryMs);
    expect([await me(session), tokenCalls()]).toEqual([200, 3]);
    get().test.advance(CONFIRM_LIMITS.graceMs);
    const refused = await ask('/.lictor/api/v1/me', { session });
    expect([refused.statusCode, refused.json().code]).toEqual([401, 'session-unconfirmed']);
    // The provider is back before the limits of the session, so the session continues.
    idp().instead.clear();
    get().test.advance(CONFIRM_LIMITS.retryMs);
    expect([await me(session), get().endings]).toEqual([200, []]);
  });

  it('a question that takes long holds no request up', async () => {
    const session = await signedIn();
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    idp().bends.set('/token', async (answer) => {
      await released;
      return answer;
    });
    untilDue();
    get().confirmWaitMs = 50;
    expect(await me(session)).toBe(200);
    release();
  });
});

describe('logout', () => {
  it('ends the session here, and sends the browser to the provider by a form: no token in an address', async () => {
    const session = await signedIn();
    const page = await post('/.lictor/logout', {}, { session });
    expect(page.statusCode).toBe(200);
    expect(page.body).toMatch(new RegExp(`<form method="post" action="${idp().issuer}/session/end">`));
    expect(page.body).toMatch(/name="id_token_hint" value="[\w-]+\.[\w-]+\.[\w-]+"/);
    expect(page.body).toContain('name="post_logout_redirect_uri" value="http://localhost:8200/.lictor/logout"');
    expect(page.headers).toMatchObject({ 'cache-control': 'no-store', 'set-cookie': expect.stringContaining('Max-Age=0') });
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; frame-ancestors 'none'; base-uri 'none'$/,
    );
    expect([await me(session), get().syncs]).toEqual([401, 1]);
    expect(get().records.at(-1)).toMatchObject({ action: 'session.logout', principal: 'alice@corp', idp: 'corp' });
  });

  it('says where the person stays signed in, when the provider has no logout or is away', async () => {
    idp().bends.set('/.well-known/openid-configuration', ({ end_session_endpoint: _end, ...metadata }) => metadata);
    connect();
    const page = await post('/.lictor/logout', {}, { session: await signedIn() });
    expect(page.body).toMatch(/You are signed out.*You are still signed in at <strong>corp<\/strong>/s);
  });

  it('from another origin ends nothing (SE-02)', async () => {
    const session = await signedIn();
    expect((await post('/.lictor/logout', {}, { session, sameOrigin: false })).statusCode).toBe(403);
    expect(await me(session)).toBe(200);
  });
});

describe('back-channel logout', () => {
  const EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  const claims = (more: Readonly<Record<string, unknown>> = {}) => {
    const now = Math.floor(Date.now() / 1000);
    return { iss: idp().issuer, aud: 'lictor', sub: 'sub-alice', iat: now, exp: now + 120, jti: randomUUID(), events: EVENTS, ...more };
  };
  const send = (token: string) =>
    ask('/.lictor/logout/corp', {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
  const signed = (more: Readonly<Record<string, unknown>> = {}, header = {}) => idp().sign(claims(more), { typ: 'logout+jwt', ...header });

  it('ends every session of the person, before it is answered, and is recorded', async () => {
    const [one, two] = [await signedIn(), await signedIn()];
    idp().accounts.set('sub-eve', { preferred_username: 'eve', groups: ['platform'] });
    const eve = await signedIn('sub-eve');
    const answer = await send(await signed());
    expect([answer.statusCode, answer.headers['cache-control'], get().syncs]).toEqual([200, 'no-store', 1]);
    expect([await me(one), await me(two), await me(eve)]).toEqual([401, 401, 200]);
    expect(get().records.slice(-2)).toMatchObject(
      [1, 2].map(() => ({ action: 'session.backchannel_logout', decision: 'allow', principal: 'alice@corp', idp: 'corp', session_id: expect.any(String) })),
    );
  });

  it('of one session ends that one', async () => {
    const sids = ['sid-one', 'sid-two'];
    idp().bends.set('/token', async (answer) => {
      const given: Record<string, unknown> = JSON.parse(Buffer.from(String(answer['id_token']).split('.')[1] ?? '', 'base64url').toString());
      return { ...answer, id_token: await idp().sign({ ...given, sid: sids.shift() }) };
    });
    const [one, two] = [await signedIn(), await signedIn()];
    expect((await send(await signed({ sid: 'sid-two' }))).statusCode).toBe(200);
    expect([await me(one), await me(two)]).toEqual([200, 401]);
    expect((await send(await signed({ sub: undefined, sid: 'sid-one' }))).statusCode).toBe(200);
    expect(await me(one)).toBe(401);
  });

  it('counts once', async () => {
    const token = await signed();
    expect((await send(token)).statusCode).toBe(200);
    const session = await signedIn();
    expect([(await send(token)).json().code, await me(session)]).toEqual(['logout-token-invalid', 200]);
  });

  it.each<[string, () => Promise<string> | string]>([
    ['nothing', () => ''],
    ['no token', () => 'x'],
    ['an endless one', () => `${'a'.repeat(20_000)}.b.c`],
    ['without signature', () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims())).toString('base64url')}.`],
    [
      'by the client secret (HS256)',
      () => new SignJWT(claims()).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode('a secret with : and % in it, longer')),
    ],
    ['of another type', () => signed({}, { typ: 'at+jwt' })],
    ['of another issuer', () => signed({ iss: 'https://evil.example' })],
    ['for another client', () => signed({ aud: 'other' })],
    ['without event', () => signed({ events: undefined })],
    ['about another event', () => signed({ events: { 'https://example.com/other': {} } })],
    ['with an event that is no object', () => signed({ events: { 'http://schemas.openid.net/event/backchannel-logout': 'yes' } })],
    ['with a nonce, like an ID token', () => signed({ nonce: 'n' })],
    ['without jti', () => signed({ jti: undefined })],
    ['without iat', () => signed({ iat: undefined })],
    ['that is old', () => signed({ iat: Math.floor(Date.now() / 1000) - 3600, exp: undefined })],
    ['that has expired', () => signed({ exp: Math.floor(Date.now() / 1000) - 3600 })],
    ['from the future', () => signed({ iat: Math.floor(Date.now() / 1000) + 3600, exp: undefined })],
    ['that names nobody', () => signed({ sub: undefined })],
    ['with a sid that is no text', () => signed({ sid: 7 })],
  ])('with %s is refused and recorded, and ends nothing', async (_name, make) => {
    const session = await signedIn();
    const answer = await send(await make());
    expect([answer.statusCode, answer.json().code, await me(session)]).toEqual([400, 'logout-token-invalid', 200]);
    expect(get().records.at(-1)).toMatchObject({ action: 'session.backchannel_logout', decision: 'deny', reason: 'logout-token-invalid', principal: null });
  });

  it('twice in one form, or at an unknown provider, is refused', async () => {
    const token = await signed();
    const body = new URLSearchParams([
      ['logout_token', token],
      ['logout_token', token],
    ]).toString();
    expect((await ask('/.lictor/logout/corp', { method: 'POST', body })).statusCode).toBe(400);
    expect((await ask('/.lictor/logout/other', { method: 'POST', body })).statusCode).toBe(404);
  });

  it('a flood of tokens by unknown keys asks for the keys once (JW-05)', async () => {
    await signedIn();
    const before = idp().requests.filter((line) => line === 'GET /jwks').length;
    get().test.advance(30_000);
    const answers = await Promise.all(Array.from({ length: 200 }, async (_, index) => (await send(await signed({}, { kid: `unknown-${index}` }))).statusCode));
    expect(new Set(answers)).toEqual(new Set([400]));
    expect(idp().requests.filter((line) => line === 'GET /jwks').length - before).toBeLessThanOrEqual(1);
  });
});

describe('at rest', () => {
  it('the tokens of a session are sealed, and go with it', async () => {
    const tokens: string[] = [];
    idp().bends.set('/token', (answer) => {
      tokens.push(...['access_token', 'refresh_token', 'id_token'].map((name) => String(answer[name])));
      return answer;
    });
    const session = await signedIn();
    const files = readdirSync(get().test.directory).map((name) => readFileSync(`${get().test.directory}/${name}`, 'latin1'));
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) for (const secret of [...tokens, session]) expect(file.includes(secret.slice(0, 30))).toBe(false);
    const page = await ask('/.lictor/login', { session, headers: HTML });
    expect(page.body).toContain('alice@corp');
  });
});
