// The provider's logout request, by form and by address: signed, for us, fresh, once.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { at, ENTITY, encode, idpOf, logoutText, NOW_MS, newKey, OWN, RSA_SHA1, type SigningKey, sign, signedQuery } from './idp.fixture.ts';
import { readLogout } from './logout-message.ts';
import { NOT_WELL_FORMED } from './not-well-formed.fixture.ts';

let key: SigningKey;
let foreign: SigningKey;
let used: Set<string>;
beforeAll(async () => {
  [key, foreign] = await Promise.all([newKey(), newKey()]);
});
beforeEach(() => {
  used = new Set();
});

const parts = () => ({
  idpId: 'adfs',
  idp: idpOf(key),
  logoutUrl: `${OWN}/logout`,
  clock: () => NOW_MS,
  marks: { once: async (kind: string, id: string) => !used.has(kind + id) && used.add(kind + id) !== undefined },
});
const byForm = (text: string) => readLogout({ binding: 'post', encoded: encode(text) }, parts());
const byAddress = (query: string) => readLogout({ binding: 'redirect', query }, parts());
const form = (given: Parameters<typeof logoutText>[0] = {}, by = key): string => sign(logoutText(given), by, 'LogoutRequest');

function withoutRelayState(): string {
  const signed = signedQuery(logoutText(), key, { relayState: null });
  expect(signed).not.toContain('RelayState');
  return signed;
}

const READ = { ok: true, requestId: '_logout1', subject: 'alice', sessionIndexes: ['session-1'] };

describe('a valid request', () => {
  it('is read from a form and from an address, each once', async () => {
    expect(await byForm(form())).toEqual(READ);
    expect(await byForm(form())).toMatchObject({ ok: false, detail: 'used before' });
    used.clear();
    expect(await byAddress(signedQuery(logoutText(), key))).toEqual(READ);
    expect(await byAddress(signedQuery(logoutText(), key))).toMatchObject({ ok: false, detail: 'used before' });
  });

  it('may name several sessions, or none, which means all of the person', async () => {
    expect(await byForm(form({ indexes: ['a', 'b'] }))).toMatchObject({ sessionIndexes: ['a', 'b'] });
    expect(await byForm(form({ id: '_logout2', indexes: [] }))).toMatchObject({ sessionIndexes: [] });
  });
});

describe('what is not well-formed', () => {
  it.each(NOT_WELL_FORMED)('rejects %s, signed in a form and in a URL', async (_name, change) => {
    const refused = { ok: false, reason: 'logout-request-invalid', detail: expect.stringMatching(/not well-formed|the declaration|a declaration/) };
    expect(await byForm(change(form()))).toMatchObject(refused);
    expect(await byAddress(signedQuery(change(logoutText()), key))).toMatchObject(refused);
    expect(await byForm(form())).toEqual(READ);
  });
});

describe('rejected in a form', () => {
  it.each<[string, () => string, RegExp]>([
    ['unsigned', () => logoutText(), /not that of the provider/],
    ['signed by another key', () => form({}, foreign), /not that of the provider/],
    ['SHA-1', () => sign(logoutText(), key, 'LogoutRequest', { signatureAlgorithm: 'sha1' }), /not allowed/],
    ['another name under the signature', () => form().replace('>alice<', '>bob<'), /not that of the provider/],
    ['of another issuer', () => form({ issuer: 'https://evil.example' }), /another issuer/],
    ['for another destination', () => form({ destination: 'https://other.example/logout' }), /Destination/],
    ['too old', () => form({ issued: at(-331) }), /too old/],
    ['from the future', () => form({ issued: at(31) }), /future/],
    ['of another kind', () => form().replaceAll('LogoutRequest', 'ManageNameIDRequest'), /./],
    ['a comment in the name', () => form({ nameId: 'ali<!-- -->ce' }), /comment/],
    ...[' alice', 'alice\u00A0', 'alice\uFEFF', '&#xFEFF;alice'].map((nameId): [string, () => string, RegExp] => [
      `the name ${JSON.stringify(nameId)}`,
      () => form({ nameId }),
      /no plain text/,
    ]),
    ['a session with more after it', () => form({ indexes: ['session-1\uFEFF'] }), /no plain text/],
    ['a line end of XML 1.1', () => form({ nameId: 'alice&#x2028;' }), /line end/],
    ['a signed part beside it', () => logoutText().replace('</samlp:LogoutRequest>', `${form()}</samlp:LogoutRequest>`), /same ID|stands where none may/],
    ['a document type', () => `<!DOCTYPE x>${form()}`, /declaration/],
  ])('%s', async (_what, make, detail) => {
    expect(await byForm(make())).toEqual({ ok: false, reason: 'logout-request-invalid', detail: expect.stringMatching(detail) });
    expect(used.size).toBe(0);
  });
});

describe('rejected in a URL', () => {
  it.each<[string, () => string, RegExp]>([
    ['unsigned', () => signedQuery(logoutText(), key).replace(/&Signature=.*/, ''), /Signature is there 0 times/],
    ['signed by another key', () => signedQuery(logoutText(), foreign), /not that of the provider/],
    ['SHA-1', () => signedQuery(logoutText(), key, { algorithm: RSA_SHA1 }), /SigAlg is not allowed/],
    ['a second message in front', () => `SAMLRequest=x&${signedQuery(logoutText(), key)}`, /SAMLRequest is there 2 times/],
    ['a second message under an escaped name', () => `${signedQuery(logoutText(), key)}&SAMLReques%74=x`, /SAMLRequest is there 2 times/],
    ['another RelayState', () => signedQuery(logoutText(), key).replace('back', 'there'), /not that of the provider/],
    ['a RelayState under an escaped name, beside no other', () => `${withoutRelayState()}&RelayStat%65=there`, /RelayState is there 1 times/],
    ['broken escapes', () => `${signedQuery(logoutText(), key)}&%E0%A4%A=1`, /no query/],
    ['what unpacks to too much', () => signedQuery(logoutText({ nameId: 'a'.repeat(100_000) }), key), /too large/],
    ['nothing', () => '', /0 times/],
  ])('%s', async (_what, make, detail) => {
    expect(await byAddress(make())).toEqual({ ok: false, reason: 'logout-request-invalid', detail: expect.stringMatching(detail) });
    expect(used.size).toBe(0);
  });

  it('twin: each is valid without its fault', async () => {
    expect(ENTITY).toBe(idpOf(key).entityId);
    expect(await byAddress(signedQuery(logoutText({ id: '_other' }), key))).toMatchObject({ ok: true });
    expect(await byAddress(withoutRelayState())).toMatchObject({ ok: true });
  });
});
