// A login of the command line by a person of an OpenID Provider: separate tokens, later answers of the provider, and providers without tokens.
import { describe, expect, it } from 'vitest';
import { deviceClient } from './device.fixture.ts';
import { sessionOfAnswer, useOidcApp } from './oidc.fixture.ts';
import { HTML } from './own-app.fixture.ts';

const own = useOidcApp();
const { get, idp, ask, post, connect, finish, signIn, me } = own;
const { begin, poll, refresh, allow, use } = deviceClient(own);

const TOKEN_MS = 60_000;
const signedIn = async (): Promise<string> => sessionOfAnswer(await signIn());

/** The click, and the login at the provider. `subject`: the person who is signed in there. */
async function allowThere(userCode: string, session: string, subject = 'sub-alice') {
  const sent = await allow(userCode, session);
  expect(sent.statusCode, sent.body.slice(-500)).toBe(303);
  const location = String(sent.headers.location);
  const [, state = '', browser = ''] = /^lictor-login-([\w-]{22})=([\w-]{43});/.exec(String(sent.headers['set-cookie'])) ?? [];
  expect(new URL(location).searchParams.get('state')).toBe(state);
  return { location, browser, back: await idp().browse(location, subject) };
}

async function obtained(session: string): Promise<Record<string, unknown>> {
  const begun: Record<string, unknown> = (await begin()).json();
  const { back, browser } = await allowThere(String(begun['user_code']), session);
  const done = await finish(back, { browser, session });
  expect([done.statusCode, done.body]).toEqual([200, expect.stringContaining('You are logged in')]);
  return { ...begun, ...(await poll(begun['device_code'])) };
}

/** The provider issues no token that outlives its session. */
function withoutOffline(): void {
  idp().bends.set('/.well-known/openid-configuration', (metadata) => ({ ...metadata, scopes_supported: ['openid'] }));
  connect();
}

describe('with separate tokens', () => {
  it('is the same person as in the browser, and outlives the session there', async () => {
    const session = await signedIn();
    const tokens = await obtained(session);
    expect(await use(tokens['access_token'])).toMatchObject({ principal: 'alice@corp', idp: 'corp', roles: ['admin'], principal_kind: 'user' });
    await post('/.lictor/logout', {}, { session });
    expect(await me(session)).toBe(401);
    get().test.advance(TOKEN_MS + 1000);
    expect(await use(tokens['access_token'])).toMatchObject({ principal: 'alice@corp' });
    expect(await refresh(tokens['refresh_token'])).toMatchObject({ statusCode: 200 });
  });

  it('asks for them with offline_access, once, and no new session begins', async () => {
    const session = await signedIn();
    const begun = (await begin()).json();
    const { location, back, browser } = await allowThere(begun.user_code, session);
    expect(await poll(begun.device_code), 'before the answer of the provider nothing is allowed').toMatchObject({ error: 'authorization_pending' });
    expect(new URL(location).searchParams.get('scope')).toBe('openid profile email offline_access');
    const done = await finish(back, { browser, session });
    expect([done.statusCode, sessionOfAnswer(done), await me(session)]).toEqual([200, '', 200]);
    expect((await finish(back, { browser, session })).statusCode).toBe(400);
  });

  it('has the groups of now, and ends when the provider ends the person, or no role is left', async () => {
    const tokens = await obtained(await signedIn());
    idp().accounts.set('sub-alice', { preferred_username: 'alice', groups: ['team-a'] });
    get().test.advance(TOKEN_MS + 1000);
    expect(await use(tokens['access_token'])).toMatchObject({ roles: ['viewer'] });
    idp().bends.set('/token', () => ({ status: 400, body: '{"error":"invalid_grant"}' }));
    get().test.advance(TOKEN_MS + 1000);
    expect(await use(tokens['access_token'])).toMatchObject({ code: 'login-ended' });
    idp().bends.clear();
    expect(await refresh(tokens['refresh_token'])).toMatchObject({ error: 'invalid_grant', code: 'login-ended' });
    const other = await obtained(await signedIn());
    idp().accounts.set('sub-alice', { preferred_username: 'alice', groups: [] });
    get().test.advance(TOKEN_MS + 1000);
    expect(await refresh(other['refresh_token'])).toMatchObject({ error: 'invalid_grant', code: 'login-ended' });
    expect(get().endings).toEqual(['session-expired', 'role-missing']);
  });

  it('lives through an outage of the provider, and is not thrown away by one that lasts', async () => {
    const tokens = await obtained(await signedIn());
    idp().instead.set('/token', { status: 503, body: '' });
    get().test.advance(TOKEN_MS + 1000);
    expect(await use(tokens['access_token'])).toMatchObject({ principal: 'alice@corp' });
    get().test.advance(16 * 60_000);
    expect(await refresh(tokens['refresh_token'])).toMatchObject({ statusCode: 503, error: 'temporarily_unavailable', code: 'idp-unavailable' });
    idp().instead.clear();
    get().test.advance(11_000);
    expect(await refresh(tokens['refresh_token'])).toMatchObject({ statusCode: 200 });
  });

  it('is refused when the provider answers for another person, or the session that allowed it is gone', async () => {
    const session = await signedIn();
    const begun = (await begin()).json();
    const other = await allowThere(begun.user_code, session, 'sub-bob');
    expect((await finish(other.back, { browser: other.browser, session })).statusCode).toBe(400);
    expect(await poll(begun.device_code)).toMatchObject({ error: 'authorization_pending' });
    expect(get().records.at(-1)).toMatchObject({ action: 'device.allow', decision: 'deny', reason: 'device-other-person' });
    const { back, browser } = await allowThere(begun.user_code, session);
    expect((await finish(back, { browser, session: await signedIn() })).statusCode, 'another session').toBe(401);
    const again = await allowThere(begun.user_code, session);
    expect((await finish(again.back, { browser: 'A'.repeat(43), session })).statusCode, 'another browser').toBe(400);
    get().test.advance(6000);
    expect(await poll(begun.device_code)).toMatchObject({ error: 'authorization_pending' });
  });

  it('ends with lictor identity forget', async () => {
    const tokens = await obtained(await signedIn());
    await get().test.store.identities.forget('corp', 'alice');
    expect(await use(tokens['access_token'])).not.toHaveProperty('principal');
    expect(await refresh(tokens['refresh_token'])).toMatchObject({ error: 'invalid_grant' });
  });
});

describe('without', () => {
  it('stands on the session in the browser, says so, is confirmed with it, and ends with it', async () => {
    withoutOffline();
    const session = await signedIn();
    const begun = (await begin()).json();
    const done = await allow(begun.user_code, session);
    expect([done.statusCode, done.body]).toEqual([200, expect.stringContaining('ends with your session in this browser')]);
    const tokens = await poll(begun.device_code);
    idp().accounts.set('sub-alice', { preferred_username: 'alice', groups: ['team-a'] });
    get().test.advance(TOKEN_MS + 1000);
    expect(await use(tokens['access_token'])).toMatchObject({ principal: 'alice@corp', roles: ['viewer'] });
    await post('/.lictor/logout', {}, { session });
    expect(await use(tokens['access_token'])).toMatchObject({ code: 'login-ended' });
    expect(await refresh(tokens['refresh_token'])).toMatchObject({ error: 'invalid_grant', code: 'login-ended' });
  });

  it('ends when that session has not been used for too long, whether anybody signs in meanwhile or not, and no decision on it is good beyond that', async () => {
    withoutOffline();
    const idleMs = 3600_000;
    const session = await signedIn();
    const begun = (await begin()).json();
    await allow(begun.user_code, session);
    get().test.advance(6000);
    const tokens = await poll(begun.device_code);
    const began = get().test.clock();
    get().test.advance(idleMs - 20_000);
    const fresh = await refresh(tokens['refresh_token']);
    const until = Date.parse(String((await use(fresh['access_token']))['expires_at']));
    expect([fresh['statusCode'], until - began]).toEqual([200, expect.toSatisfy((ms: number) => ms > 0 && ms <= idleMs)]);
    get().test.advance(20_000);
    expect([await use(fresh['access_token']), await me(session)]).toEqual([expect.objectContaining({ code: 'login-ended' }), 401]);
    expect(await refresh(fresh['refresh_token'])).toMatchObject({ error: 'invalid_grant', code: 'login-ended' });
  });

  it('the same when the provider offers them and then gives none', async () => {
    const session = await signedIn();
    const begun = (await begin()).json();
    const { back, browser } = await allowThere(begun.user_code, session);
    idp().bends.set('/token', () => ({ status: 400, body: '{"error":"not_allowed","error_description":"Offline tokens not allowed for the user or client"}' }));
    const done = await finish(back, { browser, session });
    expect([done.statusCode, done.body]).toEqual([200, expect.stringContaining('ends with your session in this browser')]);
    idp().bends.clear();
    expect(await poll(begun.device_code)).toMatchObject({ statusCode: 200 });
  });
});

it('with one provider the page of a code leads straight there and back to it', async () => {
  const answer = await ask('/.lictor/device?user_code=BCDF-GHJK', { headers: HTML });
  const sent = await own.go(String(answer.headers.location));
  const done = await finish(await idp().browse(sent.location, 'sub-alice'), { browser: sent.browser });
  expect(done.headers.location).toBe('/.lictor/device?user_code=BCDF-GHJK');
});
