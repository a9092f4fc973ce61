// Research rows JW-01 to JW-04, JW-07, AW-02: what a JWT must contain, and that a rejection sends no request.
import { createHmac } from 'node:crypto';
import { exportSPKI, generateKeyPair, importJWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JwtProvider } from '../../../config/config.ts';
import { ISSUER, NOW_SECONDS, type SigningKey, sign, signingKey, testIssuer } from './issuer.fixture.ts';
import { AWS, GITHUB, GITLAB, KEYCLOAK, KUBERNETES } from './shapes.fixture.ts';

const RULES = { require: { repository: 'acme/etl', ref: 'refs/heads/main' } };
let key: SigningKey;
let rsa: SigningKey;
beforeAll(async () => {
  key = await signingKey('one');
  rsa = await signingKey('rsa', 'RS256');
});

function issuer(provider: Partial<JwtProvider> = RULES, ...more: Partial<JwtProvider>[]) {
  return testIssuer([provider, ...more], [key.publicJwk, rsa.publicJwk]);
}

function encode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

describe('a token of its issuer', () => {
  it.each<[string, object, Partial<JwtProvider>, string]>([
    ['GitHub', GITHUB, RULES, GITHUB.sub],
    ['GitLab', GITLAB, { require: { project_path: 'acme/etl', ref_protected: 'true', groups_direct: 'acme/data' } }, GITLAB.sub],
    ['Kubernetes', KUBERNETES, { require: { 'kubernetes.io.namespace': 'flows' } }, KUBERNETES.sub],
    ['Keycloak', KEYCLOAK, { require: { 'realm_access.roles': 'offline_access' }, principalClaim: 'client_id' }, 'etl-worker'],
    ['AWS', AWS, { require: { 'https://sts.amazonaws.com/.aws_account': '123456789012', sub: 'arn:aws:iam::123456789012:role/*' } }, AWS.sub],
  ])('of the shape of %s is its principal', async (_name, claims, provider, name) => {
    const { prove } = issuer(provider);
    const proof = await prove(await sign(rsa, { ...claims }, { typ: 'JWT' }));
    expect(proof).toMatchObject({
      ok: true,
      identity: { idp: 'ci', name, subject: name, kind: 'service' },
      provider: { id: 'ci' },
      expiresAtMs: (NOW_SECONDS + 300) * 1000,
    });
  });

  it('has its claims as text by dotted path, and its groups', async () => {
    const proof = await issuer({}).prove(await sign(key, { ...KUBERNETES, groups: ['a', 'b', 3] }));
    if (!proof.ok) throw new Error(proof.reason);
    expect(proof.identity.groups).toEqual(['a', 'b']);
    expect(proof.identity.claims).toMatchObject({ 'kubernetes.io.serviceaccount.name': 'etl', 'kubernetes.io.warnafter': '1700003000', iss: ISSUER });
    expect(Object.keys(proof.identity.claims)).not.toContain('exp');
    expect(Object.keys(proof.identity.claims)).not.toContain('aud');
    expect(proof.credentialId).toBe(`jwt:${KUBERNETES.jti}`);
  });

  it.each([
    [true, { ok: true, identity: { name: 'ci@example.com', claims: { email: 'ci@example.com' } } }],
    [undefined, { ok: true, identity: { name: 'ci@example.com' } }],
    [false, { ok: false, reason: 'jwt-claims' }],
    ['false', { ok: false, reason: 'jwt-claims' }],
  ])('is named by an address, and let in by it, unless its issuer calls it unverified (%j)', async (verified, expected) => {
    const text = await sign(key, { ...GITHUB, email: 'ci@example.com', email_verified: verified });
    expect(await issuer({ principalClaim: 'email' }).prove(text)).toMatchObject(expected);
    expect(await issuer({ require: { email: '*@example.com' } }).prove(text)).toMatchObject({ ok: expected.ok });
  });

  it('is named by its digest if its jti is not a plain name', async () => {
    const proof = await issuer({}).prove(await sign(key, { ...GITHUB, jti: 'a b"c' }));
    expect(proof).toMatchObject({ ok: true, credentialId: expect.stringMatching(/^jwt:[0-9a-f]{16}$/) });
  });

  it.each(['RS256', 'ES256', 'EdDSA'])('may be signed with %s', async (alg) => {
    const other = await signingKey('other', alg);
    expect(await testIssuer([{}], [other.publicJwk]).prove(await sign(other, GITHUB))).toMatchObject({ ok: true });
  });

  it.each([undefined, 'JWT', 'jwt', 'at+jwt', 'application/at+jwt'])('may have the type %s', async (typ) => {
    expect(await issuer().prove(await sign(key, GITHUB, typ === undefined ? {} : { typ }))).toMatchObject({ ok: true });
  });

  it('may come from a clock that is half a minute ahead', async () => {
    const times = { iat: NOW_SECONDS + 30, nbf: NOW_SECONDS + 30 };
    expect(await issuer().prove(await sign(key, { ...GITHUB, ...times }))).toMatchObject({ ok: true });
  });

  it('may be valid for a day', async () => {
    expect(await issuer().prove(await sign(key, { ...GITHUB, exp: NOW_SECONDS + 86_400 }))).toMatchObject({ ok: true });
  });

  it('belongs to the provider of its audience', async () => {
    const two = issuer({ id: 'a', audiences: ['x'] }, { id: 'b', audiences: ['y', 'lictor'] });
    expect(await two.prove(await sign(key, GITHUB))).toMatchObject({ ok: true, provider: { id: 'b' } });
  });
});

describe('rejected without a request', () => {
  const refuses = async (token: string, reason: string, provider?: Partial<JwtProvider>): Promise<void> => {
    const { prove, asked } = issuer(provider);
    expect(await prove(token)).toEqual({ ok: false, reason });
    expect(asked).toEqual([]);
  };

  it.each<[string, object, string]>([
    ['another branch', { ref: 'refs/heads/evil' }, 'jwt-claims'],
    ['another repository', { repository: 'acme/etl-evil' }, 'jwt-claims'],
    ['a claim that is missing', { repository: undefined }, 'jwt-claims'],
    ['another audience', { aud: 'sts.amazonaws.com' }, 'jwt-issuer-unknown'],
    ['no audience', { aud: undefined }, 'jwt-issuer-unknown'],
    ['an audience in another case', { aud: 'Lictor' }, 'jwt-issuer-unknown'],
    ['several audiences and no authorized party', { aud: ['lictor', 'other'] }, 'jwt-issuer-unknown'],
    ['audiences that are no texts', { aud: ['lictor', 1], azp: 'x' }, 'jwt-issuer-unknown'],
    ['another issuer', { iss: 'https://evil.example' }, 'jwt-issuer-unknown'],
    ['an issuer with a slash', { iss: `${ISSUER}/` }, 'jwt-issuer-unknown'],
    ['no issuer', { iss: undefined }, 'jwt-issuer-unknown'],
    ['an end that has passed', { exp: NOW_SECONDS }, 'credential-expired'],
    ['no end', { exp: undefined }, 'jwt-times'],
    ['an end as text', { exp: String(NOW_SECONDS + 300) }, 'jwt-times'],
    ['half seconds', { exp: NOW_SECONDS + 300.5 }, 'jwt-times'],
    ['an end in 2038', { exp: 2_147_483_648 }, 'jwt-times'],
    ['an end in 2038 and no beginning', { exp: 2_147_483_648, iat: undefined }, 'jwt-times'],
    ['a day from now, and a beginning in the future to make it less', { exp: NOW_SECONDS + 86_420, iat: NOW_SECONDS + 25 }, 'jwt-times'],
    ['a beginning in the future', { nbf: NOW_SECONDS + 31 }, 'jwt-times'],
    ['an issue in the future', { iat: NOW_SECONDS + 31 }, 'jwt-times'],
    ['a beginning that is no number', { nbf: null }, 'jwt-times'],
    ['the nonce of a login', { nonce: 'n' }, 'jwt-kind'],
    ['the hash of an access token', { at_hash: 'h' }, 'jwt-kind'],
    ['a logout event', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }, 'jwt-kind'],
    ['a key that it is bound to', { cnf: { jkt: 'x' } }, 'jwt-kind'],
    ['the type ID of Keycloak', { typ: 'ID' }, 'jwt-kind'],
    ['the type Refresh of Keycloak', { typ: 'Refresh' }, 'jwt-kind'],
    ['a subject that is a wildcard', { sub: '*' }, 'jwt-claims'],
    ['a subject with a wildcard', { sub: 'arn:aws:iam::*:role/etl' }, 'jwt-claims'],
    ['no subject', { sub: undefined }, 'jwt-claims'],
    ['a list as subject', { sub: ['a'] }, 'jwt-claims'],
    ['a subject of two lines', { sub: 'a\nb' }, 'jwt-claims'],
    ['a subject without end', { sub: 'a'.repeat(256) }, 'jwt-claims'],
    ['two claims of one path', { a: { b: 1 }, 'a.b': 1 }, 'jwt-malformed'],
    ['a claim that is no Unicode', { x: '\ud800' }, 'jwt-malformed'],
  ])('%s', async (_name, claims, reason) => {
    await refuses(await sign(key, { ...GITHUB, ...claims }), reason);
  });

  it('a token of another account of AWS, or for another service', async () => {
    const account = { require: { 'https://sts.amazonaws.com/.aws_account': '123456789012' } };
    const foreign = { ...AWS, 'https://sts.amazonaws.com/': { aws_account: '999999999999' } };
    await refuses(await sign(key, foreign), 'jwt-claims', account);
    await refuses(await sign(key, { ...AWS, iss: 'https://00000000-0000-4000-8000-000000000000.tokens.sts.global.api.aws' }), 'jwt-issuer-unknown', account);
    await refuses(await sign(key, { ...AWS, aud: 's3.example' }), 'jwt-issuer-unknown', account);
    await refuses(await sign(key, { ...AWS, sub: '*' }), 'jwt-claims', account);
  });

  it.each([
    ['jku', 'https://evil.example/keys'],
    ['x5u', 'https://evil.example/cert'],
    ['x5c', ['MII']],
    ['jwk', { kty: 'oct', k: 'AA' }],
    ['crit', ['exp']],
    ['zip', 'DEF'],
  ])('%s in the header', async (name, value) => {
    const [, payload, signature] = (await sign(key, GITHUB)).split('.');
    await refuses(`${encode({ alg: 'ES256', kid: 'one', [name]: value })}.${payload}.${signature}`, 'jwt-malformed');
  });

  it.each(['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'JWT ', 7])('the type %s', async (typ) => {
    const [, payload, signature] = (await sign(key, GITHUB)).split('.');
    await refuses(`${encode({ alg: 'ES256', kid: 'one', typ })}.${payload}.${signature}`, 'jwt-kind');
  });

  it.each(['none', 'None', 'NONE', 'HS256', 'hs256', 'RS1', 'PS256', 'RS512', 'ES384', '', null, undefined])('the algorithm %s', async (alg) => {
    const [, payload, signature] = (await sign(key, GITHUB)).split('.');
    await refuses(`${encode({ alg, kid: 'one' })}.${payload}.${signature}`, 'jwt-malformed');
  });

  it('no signature', async () => {
    const [, payload] = (await sign(key, GITHUB)).split('.');
    await refuses(`${encode({ alg: 'none' })}.${payload}.`, 'jwt-malformed');
    await refuses(`${encode({ alg: 'ES256', kid: 'one' })}.${payload}.`, 'jwt-malformed');
  });

  it.each(['', ' ', '\n'])('HS256 with the public key as the secret, %j before it', async (before) => {
    const publicKey = await importJWK(rsa.publicJwk, 'RS256');
    if (publicKey instanceof Uint8Array) throw new Error('no key');
    const signed = `${encode({ alg: 'HS256', kid: 'rsa' })}.${encode({ ...GITHUB, iss: ISSUER, exp: NOW_SECONDS + 300 })}`;
    const mac = createHmac('sha256', `${before}${await exportSPKI(publicKey)}`)
      .update(signed)
      .digest('base64url');
    await refuses(`${signed}.${mac}`, 'jwt-malformed');
  });

  it.each<[string, (parts: readonly [string, string, string]) => string]>([
    [
      'a doubled key',
      ([header, , signature]) => `${header}.${encode(`{"iss":"${ISSUER}","aud":"lictor","aud":"x","sub":"a","exp":${NOW_SECONDS + 9}}`)}.${signature}`,
    ],
    ['a payload that is a list', ([header, , signature]) => `${header}.${encode('[]')}.${signature}`],
    ['a payload that is no JSON', ([header, , signature]) => `${header}.${encode('{iss:1}')}.${signature}`],
    ['a header that is no JSON', ([, payload, signature]) => `${encode('x')}.${payload}.${signature}`],
    ['padding', ([header, payload, signature]) => `${header}.${payload}.${signature}=`],
    ['base64 instead of base64url', ([header, payload, signature]) => `${header}.${payload}.${signature.slice(0, -2)}+/`],
    ['spare bits in the last letter', ([header, payload, signature]) => `${header}.${payload}.${signature.slice(0, -1)}${signature.endsWith('B') ? 'C' : 'B'}`],
    ['four segments', ([header, payload, signature]) => `${header}.${payload}.${signature}.`],
    ['two segments', ([header, payload]) => `${header}.${payload}`],
    ['a text without end', ([header, , signature]) => `${header}.${'A'.repeat(16_400)}.${signature}`],
    ['another payload', ([header, , signature]) => `${header}.${encode('{"a":{"a":1,"\\u0061":2}}')}.${signature}`],
  ])('%s', async (_name, change) => {
    const [header = '', payload = '', signature = ''] = (await sign(key, GITHUB)).split('.');
    await refuses(change([header, payload, signature]), 'jwt-malformed');
  });

  it.each(['../../dev/null', 'https://evil.example/keys', "' or '1'='1", 'a b'])('once the keys are here: the key id %s', async (kid) => {
    const { prove, asked, advance } = issuer();
    expect(await prove(await sign(key, GITHUB))).toMatchObject({ ok: true });
    advance(60_000);
    asked.length = 0;
    expect(await prove(await sign(key, GITHUB, { kid }))).toEqual({ ok: false, reason: 'jwt-signature' });
    expect(asked).toEqual([]);
  });

  it('two matching providers', async () => {
    const { prove, asked } = issuer({ id: 'a', audiences: ['lictor'] }, { id: 'b', audiences: ['other'] });
    expect(await prove(await sign(key, { ...GITHUB, aud: ['lictor', 'other'], azp: 'x' }))).toEqual({ ok: false, reason: 'jwt-issuer-unknown' });
    expect(asked).toEqual([]);
  });
});

describe('rejected by the signature', () => {
  const proof = async (token: string) => issuer().prove(token);

  it('by another key with the same id', async () => {
    const forger = await signingKey('one');
    expect(await proof(await sign(forger, GITHUB))).toEqual({ ok: false, reason: 'jwt-signature' });
  });

  it('of another text', async () => {
    const [header, , signature] = (await sign(key, GITHUB)).split('.');
    const [, payload] = (await sign(key, { ...GITHUB, sub: 'repo:acme/etl:ref:refs/heads/main2' })).split('.');
    expect(await proof(`${header}.${payload}.${signature}`)).toEqual({ ok: false, reason: 'jwt-signature' });
  });

  it('by a key of another algorithm than the header says', async () => {
    const [, payload, signature] = (await sign(key, GITHUB)).split('.');
    expect(await proof(`${encode({ alg: 'RS256', kid: 'one' })}.${payload}.${signature}`)).toEqual({ ok: false, reason: 'jwt-signature' });
  });

  it('without a key id, if several keys match', async () => {
    const { publicKey } = await generateKeyPair('ES256', { extractable: true });
    expect(publicKey).toBeDefined();
    const second = await signingKey('two');
    const ambiguous = testIssuer([{}], [key.publicJwk, second.publicJwk]);
    const nameless = await sign({ ...key, kid: '' }, GITHUB);
    expect(await ambiguous.prove(nameless)).toEqual({ ok: false, reason: 'jwt-signature' });
    expect(await testIssuer([{}], [key.publicJwk]).prove(nameless)).toMatchObject({ ok: true });
  });
});
