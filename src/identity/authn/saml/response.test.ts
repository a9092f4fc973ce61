// The answer to a login: sound ones are read, and every document of the corpus is refused, for its own reason.
import { describe, expect, it } from 'vitest';
import { CORPUS, foreign, key, signedAssertion, signedResponse, sound } from './corpus.fixture.ts';
import { assertionText, at, ENTITY, encode, expectedOf, groups, idpOf, NOW_MS, OWN, responseText, sign } from './idp.fixture.ts';
import { readResponse } from './response.ts';

const read = (text: string, more: Parameters<typeof expectedOf>[1] = {}) => readResponse(encode(text), expectedOf(idpOf(key), more));
describe('a valid answer', () => {
  it('with a signed assertion is read', () => {
    expect(read(sound({ attributes: groups('platform', 'team-a'), sessionEnds: at(3600) }))).toEqual({
      ok: true,
      assertion: {
        id: '_assertion1',
        nameId: { value: 'alice', format: 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified', nameQualifier: null, spNameQualifier: null },
        sessionIndex: 'session-1',
        authenticatedMs: NOW_MS,
        sessionEndsMs: NOW_MS + 3_600_000,
        issuedMs: NOW_MS,
        usableUntilMs: NOW_MS + 300_000,
        attributes: new Map([['groups', ['platform', 'team-a']]]),
      },
    });
  });

  it('may be signed as a whole, or both ways, with SHA-512, in lines and with a declaration', () => {
    const whole = sign(responseText(assertionText()), key, 'Response');
    expect(read(whole)).toMatchObject({ ok: true });
    expect(read(sign(responseText(signedAssertion()), key, 'Response'))).toMatchObject({ ok: true });
    const sha512 = sign(assertionText(), key, 'Assertion', { signatureAlgorithm: 'sha512', digestAlgorithm: 'sha512' });
    expect(read(responseText(sha512))).toMatchObject({ ok: true });
    expect(read(`<?xml version="1.0" encoding="UTF-8"?>\r\n${sound()}`)).toMatchObject({ ok: true });
    expect(readResponse(encode(sound()).replace(/.{76}/g, '$&\r\n'), expectedOf(idpOf(key)))).toMatchObject({ ok: true });
  });

  it('may be signed by any certificate of the metadata: providers change theirs', () => {
    expect(readResponse(encode(sound()), expectedOf(idpOf(foreign, key)))).toMatchObject({ ok: true });
  });

  it('that repeats an attribute for each value has all values', () => {
    const answer = read(sound({ attributes: groups('a') + groups('b') }));
    expect(answer).toMatchObject({ assertion: { attributes: new Map([['groups', ['a', 'b']]]) } });
  });

  it('has groups and names unchanged, and URLs without blanks around them', () => {
    const names = ['platform', ' platform', 'platform ', 'platform\u00A0', '\uFEFFplatform'];
    expect(read(sound({ attributes: groups(...names) }))).toMatchObject({ assertion: { attributes: new Map([['groups', names]]) } });
    const { issuer, audience } = { issuer: `\n  ${ENTITY}\n`, audience: `\n  ${OWN}/metadata\n` };
    expect(read(responseText(signedAssertion({ issuer, audience }), { issuer }))).toMatchObject({ ok: true });
    expect(read(sound({ issuer: `${ENTITY}\u00A0` }))).toMatchObject({ ok: false, detail: expect.stringMatching(/another issuer/) });
    expect(read(sound({ audience: `${OWN}/metadata\u00A0` }))).toMatchObject({ ok: false, detail: expect.stringMatching(/another audience/) });
  });

  it('may have a thousand groups', () => {
    const names = Array.from({ length: 1000 }, (_, index) => `group-${index}`);
    expect(read(sound({ attributes: groups(...names) }))).toMatchObject({ assertion: { attributes: new Map([['groups', names]]) } });
  });

  it('without a request answers no request', () => {
    const unasked = responseText(signedAssertion({ inResponseTo: '' }), { inResponseTo: '' });
    expect(read(unasked, { requestId: null })).toMatchObject({ ok: true });
    expect(read(unasked)).toMatchObject({ ok: false, reason: 'assertion-other-login' });
    expect(read(sound(), { requestId: null })).toMatchObject({ ok: false, reason: 'assertion-other-login' });
  });
});

describe('the corpus', () => {
  it.each(CORPUS)('rejects %s, with a detail that quotes nothing of the document', (_name, make, reason, detail) => {
    const answer = read(make());
    expect(answer).toEqual({ ok: false, reason, detail: expect.stringMatching(detail) });
    expect(answer.ok ? '' : answer.detail).not.toMatch(/mallory|alice|https:/);
  });

  it('twin: the documents that it was made from are valid', () => {
    expect(read(sound())).toMatchObject({ ok: true });
    expect(read(signedResponse())).toMatchObject({ ok: true });
  });

  it.each(['', '%%%', 'QUJD', Buffer.from([0xff, 0xfe, 0x3c]).toString('base64'), 'A'.repeat(5)])('%j is no message', (encoded) => {
    expect(readResponse(encoded, expectedOf(idpOf(key)))).toMatchObject({ ok: false, reason: 'assertion-invalid' });
  });
});

describe('what is well-formed', () => {
  it.each<[string, (text: string) => string]>([
    ['blanks around the root', (text) => `\n\t ${text} \n`],
    ['a declaration in single quotes', (text) => `<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n${text}`],
    ['another name of what is ASCII alone', (text) => `<?xml version="1.0" encoding="ISO-8859-1"?>${text}`],
    ['blanks in tags', (text) => text.replace('</samlp:Response>', '</samlp:Response\n>').replace('<samlp:Status>', '<samlp:Status >')],
    [
      'a success with a second code within it',
      (text) => text.replace('Success"></samlp:StatusCode>', 'Success"><samlp:StatusCode Value="x"/></samlp:StatusCode>'),
    ],
  ])('%s: read', (_name, change) => expect(read(change(sound()))).toMatchObject({ ok: true }));

  it('has names and groups of every script, and XML references', () => {
    const name = 'jürgen.мария.张伟';
    expect(read(sound({ nameId: name }))).toMatchObject({ assertion: { nameId: { value: name } } });
    const groupsRead = read(sound({ attributes: groups('a&amp;b', '&lt;c&gt;', '&#x2003;d', '&quot;e&apos; \'f"') }));
    expect(groupsRead).toMatchObject({ assertion: { attributes: new Map([['groups', ['a&b', '<c>', '\u2003d', `"e' 'f"`]]]) } });
  });
});

describe('the clock', () => {
  it('may differ by half a minute, and no more', () => {
    expect(read(sound({ notOnOrAfter: at(-29), confirmedUntil: at(-29) }))).toMatchObject({ ok: true });
    expect(read(sound({ notBefore: at(29) }))).toMatchObject({ ok: true });
    expect(read(responseText(signedAssertion({ issued: at(29), authenticated: at(29) }), { issued: at(29) }))).toMatchObject({ ok: true });
    expect(read(responseText(signedAssertion({ issued: at(-929) }), { issued: at(-929) }))).toMatchObject({ ok: true });
  });

  it('may be days after the login at the provider', () => {
    expect(read(sound({ authenticated: at(-5 * 86_400) }))).toMatchObject({ ok: true });
  });
});

describe('a change of one character', () => {
  it('anywhere in the signed assertion is rejected, or changes no parsed value', () => {
    const text = sound();
    const start = text.indexOf('<saml:Assertion');
    const reference = read(text);
    for (let index = start; index < text.length - 40; index += 37) {
      const changed = `${text.slice(0, index)}${text[index] === 'x' ? 'y' : 'x'}${text.slice(index + 1)}`;
      const answer = read(changed);
      if (answer.ok) expect(answer, `at ${index}`).toEqual(reference);
    }
  });
});
