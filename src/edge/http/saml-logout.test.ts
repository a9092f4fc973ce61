// Logout by SAML from both sides, and the metadata of the gateway.
import { createVerify } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encode, logoutText, sign } from '../../identity/authn/saml/idp.fixture.ts';
import { HTML } from './own-app.fixture.ts';
import { answerTo, cookieIn, foreign, key, OWN_URL, PAGE, useSamlLogin } from './saml.fixture.ts';

const { own, begin, send, denials } = useSamlLogin();

describe('logout', () => {
  async function loggedIn(id: string): Promise<string> {
    const attempt = await begin();
    return cookieIn(await send(answerTo(attempt.requestId, { id }), attempt));
  }
  const ask = (given: Parameters<typeof logoutText>[0] = {}, by = key) => {
    const SAMLRequest = encode(sign(logoutText({ destination: `${OWN_URL}/logout`, ...given }), by, 'LogoutRequest'));
    return own.ask('/.lictor/saml/adfs/logout', { method: 'POST', headers: PAGE, body: new URLSearchParams({ SAMLRequest, RelayState: 'theirs' }).toString() });
  };

  it('here goes on to the provider with a signed request that names its session', async () => {
    const session = await loggedIn('_a1');
    const page = await own.post('/.lictor/logout', {}, { session });
    expect(await own.me(session)).toBe(401);
    expect(page.body).toContain('<form method="get" action="https://idp.example/slo">');
    const field = (name: string): string => new RegExp(`name="${name}" value="([^"]*)"`).exec(page.body)?.[1] ?? '';
    const request = inflateRawSync(Buffer.from(field('SAMLRequest'), 'base64')).toString();
    expect(request).toMatch(/<samlp:LogoutRequest.*>alice<\/saml:NameID>.*>session-1<\//);
    const signed = new URLSearchParams({ SAMLRequest: field('SAMLRequest'), SigAlg: field('SigAlg') }).toString();
    expect(createVerify('RSA-SHA256').update(signed).verify(key.certificate, field('Signature'), 'base64')).toBe(true);
    const back = await own.ask(`/.lictor/saml/adfs/logout?SAMLResponse=x`, { headers: HTML });
    expect([back.statusCode, back.headers.location]).toEqual([303, '/.lictor/logout']);
  });

  it('at the provider ends the session it names before it is answered, and no other', async () => {
    const session = await loggedIn('_a1');
    const syncs = own.get().syncs;
    expect((await ask({ indexes: ['another'] })).statusCode).toBe(302);
    expect(await own.me(session)).toBe(200);
    const answer = await ask({ id: '_logout2' });
    expect(await own.me(session)).toBe(401);
    expect(own.get().syncs).toBe(syncs + 1);
    const location = new URL(String(answer.headers.location));
    expect(`${location.origin}${location.pathname}`).toBe('https://idp.example/slo/answer');
    expect(location.searchParams.get('RelayState')).toBe('theirs');
    expect(inflateRawSync(Buffer.from(location.searchParams.get('SAMLResponse') ?? '', 'base64')).toString()).toContain('InResponseTo="_logout2"');
    expect(own.get().records.at(-1)).toMatchObject({ action: 'session.backchannel_logout', decision: 'allow', principal: 'alice@adfs' });
  });

  it('of the person ends all', async () => {
    const sessions = [await loggedIn('_a1'), await loggedIn('_a2')];
    await ask({ indexes: [] });
    expect(await Promise.all(sessions.map(own.me))).toEqual([401, 401]);
  });

  it('by another key, or once more, ends nothing', async () => {
    const session = await loggedIn('_a1');
    expect((await ask({}, foreign)).statusCode).toBe(400);
    expect(await own.me(session)).toBe(200);
    await ask();
    const later = await loggedIn('_a2');
    expect((await ask()).statusCode).toBe(400);
    expect(await own.me(later)).toBe(200);
    expect(denials()).toEqual(['logout-request-invalid', 'logout-request-invalid']);
  });
});

describe('our metadata', () => {
  it('names our addresses and certificate, and says that requests are signed', async () => {
    const answer = await own.ask('/.lictor/saml/adfs/metadata');
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'application/samlmetadata+xml']);
    expect(answer.body).toContain(`entityID="${OWN_URL}/metadata"`);
    expect(answer.body).toContain(`Location="${OWN_URL}/acs"`);
    expect(answer.body).toContain(`Location="${OWN_URL}/logout"`);
    expect(answer.body).toMatch(/AuthnRequestsSigned="true" WantAssertionsSigned="true"/);
    expect(answer.body.replaceAll(/\s/g, '')).toContain(key.certificate.replaceAll(/-----[A-Z ]+-----|\s/g, ''));
    expect(answer.body).not.toContain('PRIVATE');
    expect((await own.ask('/.lictor/saml/other/metadata')).statusCode).toBe(404);
  });
});
