// Answers that Lictor must reject, made with keys of this run: signature wrapping and other known attacks on SAML.
import { assertionText, at, groups, newKey, OWN, responseText, sign } from './idp.fixture.ts';
import { NOT_WELL_FORMED } from './not-well-formed.fixture.ts';

/** The provider's key, and a foreign one. */
export const [key, foreign] = await Promise.all([newKey(), newKey()]);

export const signedAssertion = (given: Parameters<typeof assertionText>[0] = {}): string => sign(assertionText(given), key, 'Assertion');
export const sound = (given: Parameters<typeof assertionText>[0] = {}): string => responseText(signedAssertion(given));

/** XSW1 to XSW8, as SAML Raider numbers them. `evil` is what the attacker injects, `good` what the provider signed. */
const evil = (id = '_evil'): string => assertionText({ id, nameId: 'mallory', attributes: groups('platform') });
const signatureOf = (text: string): string => /<Signature[\s\S]*?<\/Signature>/.exec(text)?.[0] ?? '';
const without = (text: string): string => text.replace(signatureOf(text), '');
/** `content` as the last child of the root. */
const append = (text: string, content: string): string => text.replace(/<\/[A-Za-z]+:[A-Za-z]+>$/, (end) => `${content}${end}`);
export const signedResponse = (): string => sign(responseText(assertionText()), key, 'Response');
const intoSignature = (signature: string, content: string): string => signature.replace('</Signature>', `<Object>${content}</Object></Signature>`);

const prefixes = (list: string): string => `<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="${list}"/>`;

/** As written in a document, with the characters that JavaScript's `trim` removes. */
const BLANKS = [' ', '\n', '&#x9;', '&#xD;', '\u00A0', '\uFEFF', '&#xFEFF;', '\u2003', '\u2029', '\u3000'] as const;
const LATER_LINE_ENDS = [
  ['\u0085', '&#x85;'],
  ['\u2028', '&#x2028;'],
] as const;

/** Another person's name or group with additional characters: some providers let people choose theirs. */
const NOT_QUITE: typeof CORPUS = [
  ...BLANKS.flatMap((blank) =>
    [`${blank}admin`, `admin${blank}`].map(
      (nameId) => [`the name ${JSON.stringify(nameId)}`, () => sound({ nameId }), 'assertion-invalid', /NameID is empty/] as const,
    ),
  ),
  // Signed as a reference, since a signer also reads raw ones as line feeds. The signature covers both.
  ...LATER_LINE_ENDS.flatMap(([raw, reference]) =>
    [{ nameId: `admin${reference}` }, { attributes: groups(`a${reference}platform`) }].flatMap((given, index) => {
      const what = `${['a name', 'a group'][index]} with ${reference}`;
      return [
        [`${what}, raw`, () => sound(given).replaceAll(reference, raw), 'assertion-invalid', /line end/] as const,
        [`${what}, as a reference`, () => sound(given).replaceAll(raw, reference), 'assertion-invalid', /line end/] as const,
      ];
    }),
  ),
];

const STATUS = (word: string): string => `urn:oasis:names:tc:SAML:2.0:status:${word}`;

/** Name, document, and the reason and rule of the rejection. */
export const CORPUS: readonly (readonly [string, () => string, string, RegExp])[] = [
  [
    'XSW1: the signed response inside the signature of an evil one',
    () => {
      const good = signedResponse();
      const outer = responseText(evil(), { id: '_evil-response' });
      return outer.replace('<samlp:Status>', `${intoSignature(signatureOf(good), without(good))}<samlp:Status>`);
    },
    'assertion-invalid',
    /within the Response/,
  ],
  [
    'XSW2: the signed response before its signature in an evil one',
    () => {
      const good = signedResponse();
      return responseText(evil(), { id: '_evil-response' }).replace('<samlp:Status>', `${without(good)}${signatureOf(good)}<samlp:Status>`);
    },
    'assertion-invalid',
    /within the Response/,
  ],
  ['XSW3: an evil assertion before the signed one', () => responseText(evil() + signedAssertion()), 'assertion-invalid', /2 assertions/],
  ['XSW4: the signed assertion inside an evil one', () => responseText(append(evil(), signedAssertion())), 'assertion-invalid', /2 assertions/],
  [
    'XSW5: the signature moved to an evil assertion, the signed one at the end',
    () => {
      const good = signedAssertion();
      return responseText(evil().replace('<saml:Subject>', `${signatureOf(good)}<saml:Subject>`) + without(good));
    },
    'assertion-invalid',
    /2 assertions/,
  ],
  [
    'XSW6: the same, the signed one inside the signature',
    () => {
      const good = signedAssertion();
      return responseText(evil().replace('<saml:Subject>', `${intoSignature(signatureOf(good), without(good))}<saml:Subject>`));
    },
    'assertion-invalid',
    /2 assertions/,
  ],
  [
    'XSW7: an evil assertion in Extensions',
    () => responseText(`<samlp:Extensions>${evil('_assertion1')}</samlp:Extensions>${signedAssertion()}`),
    'assertion-invalid',
    /2 assertions/,
  ],
  [
    'XSW8: the signed assertion in an object of the signature',
    () => {
      const good = signedAssertion();
      return responseText(evil().replace('<saml:Subject>', `${intoSignature(signatureOf(good), `<Any>${without(good)}</Any>`)}<saml:Subject>`));
    },
    'assertion-invalid',
    /2 assertions/,
  ],
  [
    'an evil assertion under another name',
    () => responseText(evil().replaceAll('saml:Assertion', 'saml:Asserted') + signedAssertion()).replace('_assertion1', '_x'),
    'assertion-invalid',
    /not about what it stands in/,
  ],
  [
    'the assertion of another namespace',
    () => responseText(sign(assertionText().replaceAll('SAML:2.0:assertion', 'SAML:2.0:other'), key, 'Assertion')),
    'assertion-invalid',
    /stands where none may/,
  ],
  ['a comment in NameID', () => sound().replace('>alice<', '>alice<!---->.evil<'), 'assertion-invalid', /comment/],
  ['a signed comment in NameID', () => sound({ nameId: 'admin<!-- -->.alice' }), 'assertion-invalid', /comment/],
  ['an element in NameID', () => sound({ nameId: 'admin<b/>.alice' }), 'assertion-invalid', /NameID holds more than text/],
  ['an instruction in NameID', () => sound().replace('>alice<', '>alice<?x y?>.evil<'), 'assertion-invalid', /instruction/],
  [
    're-signed by another key, whose certificate it brings along',
    () => responseText(sign(assertionText(), foreign, 'Assertion')),
    'assertion-invalid',
    /not that of the provider/,
  ],
  ['an unsigned assertion beside a signed one', () => responseText(signedAssertion() + evil()), 'assertion-invalid', /2 assertions/],
  ['two signed assertions', () => responseText(signedAssertion() + signedAssertion({ id: '_two' })), 'assertion-invalid', /2 assertions/],
  ['unsigned', () => responseText(assertionText()), 'assertion-invalid', /neither .* signed/],
  ['without its signature', () => without(sound()), 'assertion-invalid', /neither .* signed/],
  ['encrypted', () => responseText('<saml:EncryptedAssertion><x/></saml:EncryptedAssertion>'), 'assertion-encrypted', /EncryptedAssertion/],
  ['with an encrypted name', () => sound().replace(/<saml:NameID.*<\/saml:NameID>/, '<saml:EncryptedID/>'), 'assertion-encrypted', /EncryptedID/],
  ['a document type', () => `<!DOCTYPE samlp:Response>${sound()}`, 'assertion-invalid', /declaration/],
  ['an entity', () => `<!DOCTYPE x [<!ENTITY who "mallory">]>${sound().replace('>alice<', '>&who;<')}`, 'assertion-invalid', /declaration/],
  [
    'an entity of a file',
    () => `<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>${sound().replace('>alice<', '>&f;<')}`,
    'assertion-invalid',
    /declaration/,
  ],
  ['an entity without a document type', () => sound().replace('>alice<', '>&who;<'), 'assertion-invalid', /./],
  [
    'SHA-1 as signature',
    () => responseText(sign(assertionText(), key, 'Assertion', { signatureAlgorithm: 'sha1' })),
    'assertion-invalid',
    /SignatureMethod .* not allowed/,
  ],
  [
    'SHA-1 as digest',
    () => responseText(sign(assertionText(), key, 'Assertion', { digestAlgorithm: 'sha1' })),
    'assertion-invalid',
    /DigestMethod .* not allowed/,
  ],
  [
    'HMAC with the certificate as key',
    () => sound().replace('xmldsig-more#rsa-sha256', 'xmldsig-more#hmac-sha256'),
    'assertion-invalid',
    /SignatureMethod .* not allowed/,
  ],
  [
    'a transformation by style sheet',
    () => sound().replace('xmldsig#enveloped-signature', 'TR/1999/REC-xslt-19991116'),
    'assertion-invalid',
    /Transform .* not allowed/,
  ],
  ['canonicalisation with comments', () => sound().replaceAll('xml-exc-c14n#"', 'xml-exc-c14n#WithComments"'), 'assertion-invalid', /not allowed/],
  ['two SignedInfo', () => sound().replace(/<SignedInfo>[\s\S]*<\/SignedInfo>/, (part) => part + part), 'assertion-invalid', /SignedInfo .* 2 times/],
  ['two references', () => sound().replace(/<Reference [\s\S]*<\/Reference>/, (part) => part + part), 'assertion-invalid', /Reference .* 2 times/],
  ['a reference to everything', () => sound().replace('URI="#_assertion1"', 'URI=""'), 'assertion-invalid', /not about what it stands in/],
  [
    'a quote in the reference',
    () => sound().replace('URI="#_assertion1"', `URI="#_assertion1' or '1'='1"`),
    'assertion-invalid',
    /not about what it stands in/,
  ],
  ['the same ID twice', () => sound().replace('ID="_response1"', 'ID="_assertion1"'), 'assertion-invalid', /same ID/],
  ['the same ID in another namespace', () => sound().replace('ID="_response1"', 'ID="_response1" saml:ID="_assertion1"'), 'assertion-invalid', /same ID/],
  ['the same ID in another spelling', () => sound().replace('<samlp:StatusCode ', '<samlp:StatusCode id="_assertion1" '), 'assertion-invalid', /same ID/],
  ['a comment in the digest', () => sound().replace('<DigestValue>', '<DigestValue><!--x-->'), 'assertion-invalid', /comment/],
  ['signed twice', () => sound().replace(/<Signature [\s\S]*<\/Signature>/, (part) => part + part), 'assertion-invalid', /signed twice/],
  [
    'a signature in Extensions',
    () => responseText(`<samlp:Extensions>${signatureOf(signedAssertion())}</samlp:Extensions>${assertionText()}`),
    'assertion-invalid',
    /stands where none may/,
  ],
  ['another name under the same signature', () => sound().replace('>alice<', '>mallory<'), 'assertion-invalid', /not that of the provider/],
  [
    'another group under the same signature',
    () => sound({ attributes: groups('team-a') }).replace('>team-a<', '>platform<'),
    'assertion-invalid',
    /not that of the provider/,
  ],
  [
    'a response whose own signature does not hold, around an assertion whose does',
    () => sign(responseText(signedAssertion()), foreign, 'Response'),
    'assertion-invalid',
    /not that of the provider/,
  ],
  ['for another audience', () => sound({ audience: 'https://other.example' }), 'assertion-invalid', /audience/],
  [
    'for two audiences at once, one ours',
    () => sound({ conditions: '<saml:AudienceRestriction><saml:Audience>https://other.example</saml:Audience></saml:AudienceRestriction>' }),
    'assertion-invalid',
    /audience/,
  ],
  [
    'for any audience',
    () => responseText(sign(assertionText().replace(/<saml:AudienceRestriction>.*<\/saml:AudienceRestriction>/, ''), key, 'Assertion')),
    'assertion-invalid',
    /audience/,
  ],
  ['a condition that is not understood', () => sound({ conditions: '<saml:Condition xmlns:x="urn:x"/>' }), 'assertion-invalid', /not understood/],
  ['for another recipient', () => sound({ recipient: 'https://other.example/acs' }), 'assertion-invalid', /Recipient/],
  ['for another provider of ours', () => sound({ recipient: OWN.replace('adfs', 'other') }), 'assertion-invalid', /Recipient/],
  ['for another destination', () => responseText(signedAssertion(), { destination: 'https://other.example/acs' }), 'assertion-invalid', /Destination/],
  [
    'signed as a whole, and for no destination',
    () => sign(responseText(assertionText(), { destination: '' }), key, 'Response'),
    'assertion-invalid',
    /Destination/,
  ],
  ['of another issuer', () => sound({ issuer: 'https://evil.example' }), 'assertion-invalid', /another issuer/],
  ['a response of another issuer', () => responseText(signedAssertion(), { issuer: 'https://evil.example' }), 'assertion-invalid', /another issuer/],
  ['expired', () => sound({ notOnOrAfter: at(-31) }), 'assertion-invalid', /expired/],
  ['a confirmation that expired', () => sound({ confirmedUntil: at(-31) }), 'assertion-invalid', /expired/],
  ['not valid yet', () => sound({ notBefore: at(31) }), 'assertion-invalid', /not valid yet/],
  ['a time without a zone', () => sound({ notOnOrAfter: '2033-03-01T13:00:00' }), 'assertion-invalid', /no time/],
  ['a session that has ended there', () => sound({ sessionEnds: at(-1) }), 'assertion-invalid', /ended already/],
  ['for another attempt', () => sound({ inResponseTo: '_request2' }), 'assertion-other-login', /InResponseTo/],
  ['a response for another attempt', () => responseText(signedAssertion(), { inResponseTo: '_request2' }), 'assertion-other-login', /another request/],
  ['a transient name', () => sound({ format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' }), 'assertion-invalid', /transient/],
  ['an empty name', () => sound({ nameId: '' }), 'assertion-invalid', /NameID is empty/],
  ['a name with blanks', () => sound({ nameId: 'alice admin' }), 'assertion-invalid', /NameID is empty/],
  ['an error of the provider', () => responseText('', { status: 'urn:oasis:names:tc:SAML:2.0:status:AuthnFailed' }), 'login-denied-by-idp', /AuthnFailed/],
  [
    'an error around an assertion',
    () => responseText(signedAssertion(), { status: 'urn:oasis:names:tc:SAML:2.0:status:Responder' }),
    'assertion-invalid',
    /Responder/,
  ],
  ...['Requester', 'Responder', 'VersionMismatch', 'success', ''].map(
    (outer) =>
      [
        `an error ${JSON.stringify(outer)} with a success within it, around a sound assertion`,
        () => responseText(signedAssertion(), { status: STATUS(outer), innerStatus: STATUS('Success') }),
        'assertion-invalid',
        /no success/,
      ] as const,
  ),
  ['a response from the future', () => responseText(signedAssertion(), { issued: at(31) }), 'assertion-invalid', /the response is from the future/],
  ['an old response', () => responseText(signedAssertion(), { issued: at(-931) }), 'assertion-invalid', /the response is too old/],
  ['a response of no time', () => responseText(signedAssertion(), { issued: '' }), 'assertion-invalid', /IssueInstant is no time/],
  ['an assertion from the future', () => sound({ issued: at(31) }), 'assertion-invalid', /the assertion is from the future/],
  ['an old assertion', () => sound({ issued: at(-931) }), 'assertion-invalid', /the assertion is too old/],
  ['a login of next year', () => sound({ authenticated: at(31_536_000) }), 'assertion-invalid', /AuthnInstant is in the future/],
  ['a login of no time', () => sound({ authenticated: '' }), 'assertion-invalid', /AuthnInstant is no time/],
  ...NOT_WELL_FORMED.map(([name, change]) => [name, () => change(sound()), 'assertion-invalid', /not well-formed|the declaration|a declaration/] as const),
  ['no assertion', () => responseText(''), 'assertion-invalid', /0 assertions/],
  ['an assertion alone', () => signedAssertion(), 'assertion-invalid', /no Response/],
  ['two roots', () => sound() + sound(), 'assertion-invalid', /./],
  ['no XML', () => 'hello', 'assertion-invalid', /./],
  ['half of it', () => sound().slice(0, 900), 'assertion-invalid', /./],
  ['ten thousand elements within each other', () => responseText('<a>'.repeat(10_000) + '</a>'.repeat(10_000)), 'assertion-invalid', /too deep/],
  [
    'more elements beside each other than a provider writes, as a stranger would sign them',
    () => sound({ attributes: '<b/>'.repeat(11_700) }),
    'assertion-invalid',
    /too many elements/,
  ],
  [
    'more attributes than a provider writes',
    () => sound({ attributes: `<b ${Array.from({ length: 5000 }, (_, index) => `a${index}=""`).join(' ')}/>` }),
    'assertion-invalid',
    /too many elements or attributes/,
  ],
  [
    'a signature that names more prefixes than a provider does',
    () => sound().replace(/(<Transform Algorithm="[^"]*exc-c14n#")\/>/, `$1>${prefixes('a '.repeat(129))}</Transform>`),
    'assertion-invalid',
    /too many prefixes/,
  ],
  [
    'a made-up signature, which is detected before its bytes are canonicalized',
    () => sound().replace(/(<SignatureValue>)[^<]*/, `$1${'A'.repeat(344)}`),
    'assertion-invalid',
    /none of its keys has made it/,
  ],
  [
    'half of a surrogate pair in place of a character that is the same in UTF-8, so that the signature holds',
    () => sound({ attributes: groups('\uFFFD') }).replace('\uFFFD', '&#xD800;'),
    'assertion-invalid',
    /no character of XML|not well-formed/,
  ],
  ['too large', () => responseText('x'.repeat(300_000)), 'assertion-invalid', /too large/],
  ...NOT_QUITE,
];
