// A login by authorization code of a person of an OpenID Provider: separate tokens, another person, and a provider without tokens.
import { beforeEach, describe, expect, it } from 'vitest';
import { CLIENTS, codeClient } from './authorize.fixture.ts';
import { sessionOfAnswer, useOidcApp } from './oidc.fixture.ts';

const own = useOidcApp();
const { get, idp, post, connect, finish, signIn, me } = own;
const { visit, requestOn, decide, redeem, refresh } = codeClient(own);

const TOKEN_MS = 60_000;
const signedIn = async (): Promise<string> => sessionOfAnswer(await signIn());

beforeEach(() => connect({}, { oauthClients: CLIENTS }));

/** The click, and the login at the provider. `subject`: the person who is signed in there. */
async function allowThere(session: string, subject = 'sub-alice') {
  const sent = await decide(requestOn((await visit({}, session)).body), session);
  expect(sent.statusCode, sent.body.slice(-500)).toBe(303);
  const location = String(sent.headers.location);
  expect(new URL(location).searchParams.get('scope')).toContain('offline_access');
  const [, , browser = ''] = /^lictor-login-([\w-]{22})=([\w-]{43});/.exec(String(sent.headers['set-cookie'])) ?? [];
  return { browser, back: await idp().browse(location, subject) };
}

const codeOf = (answer: { readonly headers: Readonly<Record<string, unknown>> }): string =>
  new URL(String(answer.headers['location'])).searchParams.get('code') ?? '';

describe('with separate tokens of the provider', () => {
  it('the browser goes there once more and then to the client; the login outlives the session', async () => {
    const session = await signedIn();
    const { back, browser } = await allowThere(session);
    const done = await finish(back, { browser, session });
    expect(done.statusCode).toBe(303);
    const tokens = await redeem(codeOf(done));
    await post('/.lictor/logout', {}, { session });
    expect(await me(session)).toBe(401);
    get().test.advance(TOKEN_MS + 1000);
    const fresh = await refresh(tokens['refresh_token']);
    expect(fresh).toMatchObject({ statusCode: 200, scope: 'prefect:read prefect:run' });
    idp().bends.set('/token', () => ({ status: 400, body: '{"error":"invalid_grant"}' }));
    get().test.advance(TOKEN_MS + 1000);
    expect(await refresh(fresh['refresh_token'])).toMatchObject({ error: 'invalid_grant', code: 'login-ended' });
  });

  it('gives no code when the provider answers for another person, or the session that allowed it is another', async () => {
    const session = await signedIn();
    const other = await allowThere(session, 'sub-bob');
    const refused = await finish(other.back, { browser: other.browser, session });
    expect([refused.statusCode, refused.headers.location]).toEqual([400, undefined]);
    expect(get().records.at(-1)).toMatchObject({ action: 'authorize.allow', decision: 'deny', reason: 'device-other-person' });
    const { back, browser } = await allowThere(session);
    expect((await finish(back, { browser, session: await signedIn() })).statusCode).toBe(401);
    const again = await allowThere(session);
    expect((await finish(again.back, { browser: 'A'.repeat(43), session })).statusCode, 'another browser').toBe(400);
    const late = await allowThere(session);
    get().test.advance(600_000);
    expect((await finish(late.back, { browser: late.browser, session })).headers.location, 'too late').toBeUndefined();
    expect(await get().test.store.clientGrants.live()).toEqual([]);
  });
});

it('without them, the login depends on the session in the browser, and ends with it', async () => {
  idp().bends.set('/.well-known/openid-configuration', (metadata) => ({ ...metadata, scopes_supported: ['openid'] }));
  connect({}, { oauthClients: CLIENTS });
  const session = await signedIn();
  const tokens = await redeem(codeOf(await decide(requestOn((await visit({}, session)).body), session)));
  const fresh = await refresh(tokens['refresh_token']);
  expect(fresh).toMatchObject({ statusCode: 200 });
  await post('/.lictor/logout', {}, { session });
  expect(await refresh(fresh['refresh_token'])).toMatchObject({ error: 'invalid_grant', code: 'login-ended' });
});
