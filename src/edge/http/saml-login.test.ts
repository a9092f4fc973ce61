// Login by SAML: redirect, answer, and logins that start at the provider.
import { createHash, createVerify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { LOGIN_BROWSER } from '../../contract/names.ts';
import { assertionText, at, encode, groups, NOW_MS, responseText, sign } from '../../identity/authn/saml/idp.fixture.ts';
import { deviceClient } from './device.fixture.ts';
import { HOSTILE_RETURN_PATHS } from './hostile-return-paths.fixture.ts';
import { CONFIG, HTML } from './own-app.fixture.ts';
import { answerTo, cookieIn, foreign, key, OWN_URL, PAGE, useSamlLogin } from './saml.fixture.ts';

const { own, begin, send, fromProvider, denials, open, publish, advance } = useSamlLogin();
const device = deviceClient(own);

describe('the way there', () => {
  it('is a signed request by address, with the attempt as RelayState and no address of ours but the one for answers', async () => {
    const { location, request, state } = await begin();
    expect(location.href).toMatch(/^https:\/\/idp\.example\/sso\?tenant=1&/);
    expect(location.searchParams.get('RelayState')).toBe(state);
    expect(request).toContain(`AssertionConsumerServiceURL="${OWN_URL}/acs"`);
    expect(request).toContain(`>${OWN_URL}/metadata</saml:Issuer>`);
    expect(request).not.toContain('ForceAuthn');
    const signed = new URLSearchParams(
      ['SAMLRequest', 'RelayState', 'SigAlg'].map((name): [string, string] => [name, location.searchParams.get(name) ?? '']),
    ).toString();
    expect(location.searchParams.get('SigAlg')).toBe('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256');
    expect(
      createVerify('RSA-SHA256')
        .update(signed)
        .verify(key.certificate, location.searchParams.get('Signature') ?? '', 'base64'),
    ).toBe(true);
  });

  it('as another person asks for a fresh login', async () => {
    expect((await begin('&other=1')).request).toContain('ForceAuthn="true"');
    expect((await begin('&again=1')).request).toContain('ForceAuthn="true"');
  });

  it('counts as a proof of the person only if the provider asked the person again', async () => {
    const provenAt = async (query: string, authenticated: string) => {
      const attempt = await begin(query);
      const answer = await send(answerTo(attempt.requestId, { authenticated, id: `_${attempt.state}` }), attempt);
      const id = createHash('sha256').update(cookieIn(answer)).digest('hex');
      return [answer.statusCode, (await own.get().test.store.sessions.byId(id))?.authenticatedMs];
    };
    expect(await provenAt('', at(0))).toEqual([303, null]);
    expect(await provenAt('&again=1', at(-60))).toEqual([303, NOW_MS - 60_000]);
    expect(await provenAt('&again=1', at(20))).toEqual([303, NOW_MS]);
    expect(await provenAt('&again=1', at(-3600))).toEqual([403, undefined]);
    expect(denials()).toEqual(['login-not-recent']);
  });

  it('ends with a page while the provider has no metadata', async () => {
    publish();
    open();
    const answer = await own.ask('/.lictor/login?idp=adfs', { headers: HTML });
    expect([answer.statusCode, answer.body.includes('idp-unavailable')]).toEqual([503, true]);
  });
});

describe('the way back', () => {
  it("goes by a page that sends the provider's form once more, from here, and to here alone", async () => {
    const { state, requestId } = await begin();
    const message = answerTo(requestId);
    const page = await fromProvider({ SAMLResponse: message, RelayState: state });
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain(`action="/.lictor/saml/adfs/acs?state=${state}"`);
    expect(page.body).toContain(`value="${message}"`);
    expect(page.headers['content-security-policy']).toMatch(/script-src 'sha256-[^']+'; form-action 'self'/);
    expect(page.headers['set-cookie']).toBeUndefined();
    expect(own.get().records).toEqual([]);
  });

  it.each(['https://evil.example/', '"><script>', 'x'.repeat(23), ''])('takes a RelayState %j for no attempt, and never for an address', async (RelayState) => {
    const page = await fromProvider({ SAMLResponse: answerTo('_x'), RelayState });
    expect(page.body).toContain('action="/.lictor/saml/adfs/acs?unasked"');
    expect(page.body).not.toContain('evil');
  });

  it(`ends on this origin, whatever of ${HOSTILE_RETURN_PATHS.length} addresses its RelayState is (RD-01)`, async () => {
    const attempt = await begin();
    const response = answerTo(attempt.requestId);
    for (const path of HOSTILE_RETURN_PATHS.map((one) => one.toWellFormed())) {
      const page = await fromProvider({ SAMLResponse: response, RelayState: path });
      expect([page.statusCode, /action="([^"]*)"/.exec(page.body)?.[1], page.body.includes('evil')], path).toEqual([
        200,
        '/.lictor/saml/adfs/acs?unasked',
        false,
      ]);
    }
    const answer = await own.ask(`/.lictor/saml/adfs/acs?state=${attempt.state}`, {
      method: 'POST',
      sameOrigin: true,
      headers: { ...PAGE, [LOGIN_BROWSER]: attempt.browser },
      body: new URLSearchParams({ SAMLResponse: answerTo(attempt.requestId), RelayState: '//evil.example', return: '//evil.example' }).toString(),
    });
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/']);
  });

  it('begins a session at the page that was asked for, and ends the former one', async () => {
    const first = await begin();
    const former = cookieIn(await send(answerTo(first.requestId, { id: '_a1' }), first));
    expect(await own.me(former)).toBe(200);
    const second = await begin();
    const answer = await send(answerTo(second.requestId, { id: '_a2' }), second, former);
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/']);
    expect(await own.me(cookieIn(answer))).toBe(200);
    expect(await own.me(former)).toBe(401);
    expect(own.get().records.at(-1)).toMatchObject({ action: 'session.login', decision: 'allow', principal: 'alice@adfs', idp: 'adfs' });
  });

  it('names the group that is missing', async () => {
    const attempt = await begin();
    const answer = await send(answerTo(attempt.requestId, { attributes: groups('others') }), attempt);
    expect([answer.statusCode, answer.body.includes('<code>platform</code>'), cookieIn(answer)]).toEqual([403, true, '']);
  });

  it('is refused in another browser, for another attempt, twice, and replayed for a fresh one', async () => {
    const [one, two] = [await begin(), await begin()];
    expect((await send(answerTo(one.requestId), { state: one.state, browser: two.browser })).statusCode).toBe(400);
    const three = await begin();
    expect((await send(answerTo(two.requestId), three)).statusCode).toBe(401);
    expect((await send(answerTo(two.requestId), two)).statusCode).toBe(303);
    expect((await send(answerTo(two.requestId), two)).statusCode).toBe(400);
    const four = await begin();
    expect((await send(answerTo(four.requestId), four)).statusCode).toBe(401);
    expect(denials()).toEqual(['login-other-browser', 'assertion-other-login', 'login-unknown', 'assertion-replayed']);
  });

  it('is refused with two answers at once, and with none', async () => {
    const [one, two] = [await begin(), await begin()];
    const doubled = 'SAMLResponse=QUJD&SAMLResponse=QUJD';
    const more = { method: 'POST', headers: { ...PAGE, [LOGIN_BROWSER]: one.browser } } as const;
    expect((await own.ask(`/.lictor/saml/adfs/acs?state=${one.state}`, { ...more, body: doubled })).statusCode).toBe(400);
    expect(
      (await own.ask(`/.lictor/saml/adfs/acs?state=${two.state}`, { ...more, headers: { ...PAGE, [LOGIN_BROWSER]: two.browser }, body: 'x=y' })).statusCode,
    ).toBe(400);
    expect(denials()).toEqual(['login-answer-invalid', 'login-answer-invalid']);
    expect((await fromProvider({ RelayState: one.state })).statusCode).toBe(400);
  });

  it('knows a new key of the provider at once, and a foreign one never', async () => {
    const [one, two] = [await begin(), await begin()];
    publish(foreign);
    expect((await send(answerTo(one.requestId, {}, foreign), one)).statusCode).toBe(401);
    advance(6000);
    expect((await send(answerTo(two.requestId, {}, foreign), two)).statusCode).toBe(303);
    const three = await begin();
    advance(6000);
    expect((await send(answerTo(three.requestId, { id: '_late' }), three)).statusCode).toBe(401);
  });

  it("ends with the provider's session, and ends a login of the command line, whose client gets an error", async () => {
    const attempt = await begin();
    const session = cookieIn(await send(answerTo(attempt.requestId, { sessionEnds: at(60) }), attempt));
    expect(await own.me(session)).toBe(200);
    const tokens = await device.obtained(session);
    expect(tokens).toMatchObject({ statusCode: 200, expires_in: 54 });
    own.get().test.advance(53_000);
    expect(await own.me(session)).toBe(200);
    expect(await device.use(tokens['access_token'])).toMatchObject({ expires_at: new Date(NOW_MS + 60_000).toISOString() });
    own.get().test.advance(1000);
    expect(await own.me(session)).toBe(401);
    expect(await device.refresh(tokens['refresh_token'])).toMatchObject({ statusCode: 400, code: 'login-ended' });
  });

  it.each([
    ['says no end', undefined],
    ['names a later one', at(90_000)],
  ])('ends by the limits here where the provider %s', async (_what, sessionEnds) => {
    const attempt = await begin();
    const session = cookieIn(await send(answerTo(attempt.requestId, sessionEnds === undefined ? {} : { sessionEnds }), attempt));
    const { owner, idpSession, expiresMs } = (await own.get().test.store.sessions.byId(createHash('sha256').update(session).digest('hex'))) ?? {};
    expect([owner?.kind, idpSession, expiresMs]).toEqual(['identity', 'session-1', NOW_MS + CONFIG.sessions.absoluteSeconds * 1000]);
  });
});

describe('a login that began at the provider', () => {
  const unasked = (): string =>
    encode(
      responseText(sign(assertionText({ audience: `${OWN_URL}/metadata`, recipient: `${OWN_URL}/acs`, inResponseTo: '' }), key, 'Assertion'), {
        destination: `${OWN_URL}/acs`,
        inResponseTo: '',
      }),
    );
  const sendUnasked = () =>
    own.ask('/.lictor/saml/adfs/acs?unasked', { method: 'POST', headers: PAGE, body: new URLSearchParams({ SAMLResponse: unasked() }).toString() });

  it('is refused', async () => {
    const answer = await sendUnasked();
    expect([answer.statusCode, answer.body.includes('login-unknown'), cookieIn(answer)]).toEqual([400, true, '']);
  });

  it('is taken where lictor.yaml says so, once', async () => {
    open({ idpInitiated: true });
    const answer = await sendUnasked();
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/']);
    expect(await own.me(cookieIn(answer))).toBe(200);
    expect((await sendUnasked()).statusCode).toBe(401);
    expect(denials()).toEqual(['assertion-replayed']);
  });
});
