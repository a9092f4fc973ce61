// Research row JW-05: when the issuer's keys are fetched, also in a flood and in an outage.
import { beforeAll, describe, expect, it } from 'vitest';
import { KEYS_TIMES } from '../issuer-keys.ts';
import { ISSUER, type SigningKey, sign, signingKey, testIssuer } from './issuer.fixture.ts';
import { GITHUB } from './shapes.fixture.ts';
import { OUTAGE_TIMES } from './signature.ts';

const DISCOVERY = `${ISSUER}/.well-known/openid-configuration`;
const JWKS = `${ISSUER}/keys`;
let key: SigningKey;
let next: SigningKey;
beforeAll(async () => {
  [key, next] = await Promise.all([signingKey('one'), signingKey('two')]);
});

const LONG = { exp: 1_700_000_000 + 80_000 };

describe('the keys of an issuer', () => {
  it('are found by discovery, once for many simultaneous tokens', async () => {
    const { prove, asked } = testIssuer([{}], [key.publicJwk]);
    const token = await sign(key, GITHUB);
    const proofs = await Promise.all(Array.from({ length: 20 }, () => prove(token)));
    expect(proofs.every(({ ok }) => ok)).toBe(true);
    expect(asked).toEqual([DISCOVERY, JWKS]);
  });

  it('are found at jwks_uri where it is given', async () => {
    const { prove, asked } = testIssuer([{ jwksUri: 'https://elsewhere.example/keys' }], [key.publicJwk]);
    expect(await prove(await sign(key, GITHUB))).toMatchObject({ ok: true });
    expect(asked).toEqual(['https://elsewhere.example/keys']);
  });

  it('are fetched at most once in a window, whatever key ids a flood names', async () => {
    const { prove, asked, advance } = testIssuer([{}], [key.publicJwk]);
    await prove(await sign(key, GITHUB));
    advance(KEYS_TIMES.unknownMs);
    asked.length = 0;
    const token = (index: number) => sign(next, GITHUB, { kid: `guess-${index}` });
    for (let index = 0; index < 1000; index += 1) expect(await prove(await token(index))).toEqual({ ok: false, reason: 'jwt-signature' });
    expect(asked).toEqual([DISCOVERY, JWKS]);
    expect(await prove(await sign(key, GITHUB))).toMatchObject({ ok: true });
    advance(KEYS_TIMES.unknownMs);
    await prove(await token(0));
    expect(asked).toHaveLength(4);
  });

  it('rotate: a token of a new key is accepted at once, one of a withdrawn key within the time that keys are fresh', async () => {
    const { prove, publish, advance } = testIssuer([{}], [key.publicJwk]);
    expect(await prove(await sign(key, { ...GITHUB, ...LONG }))).toMatchObject({ ok: true });
    publish([next.publicJwk]);
    advance(KEYS_TIMES.freshMs - 1);
    expect(await prove(await sign(key, { ...GITHUB, ...LONG }))).toMatchObject({ ok: true });
    expect(await prove(await sign(next, { ...GITHUB, ...LONG }))).toMatchObject({ ok: true });
    expect(await prove(await sign(key, { ...GITHUB, ...LONG }))).toEqual({ ok: false, reason: 'jwt-signature' });
  });

  it('that are withdrawn without a new one are invalid, also on the first request after a long pause', async () => {
    const { prove, publish, advance } = testIssuer([{}], [key.publicJwk]);
    expect(await prove(await sign(key, { ...GITHUB, ...LONG }))).toMatchObject({ ok: true });
    publish([]);
    advance(KEYS_TIMES.freshMs);
    expect(await prove(await sign(key, { ...GITHUB, ...LONG }))).toEqual({ ok: false, reason: 'jwt-signature' });
  });

  it('are used for an hour while the issuer does not answer, then every token gets an outage instead of a rejection', async () => {
    const { prove, publish, advance, errors, asked } = testIssuer([{}], [key.publicJwk]);
    const token = await sign(key, { ...GITHUB, ...LONG });
    await prove(token);
    publish(undefined);
    advance(OUTAGE_TIMES.staleMs - 1);
    asked.length = 0;
    expect(await prove(token)).toMatchObject({ ok: true });
    expect(await prove(token)).toMatchObject({ ok: true });
    expect(asked).toEqual([DISCOVERY]);
    expect(errors).toHaveLength(1);
    advance(1);
    await expect(prove(token)).rejects.toMatchObject({ code: 'gateway-unavailable' });
    publish([key.publicJwk]);
    advance(OUTAGE_TIMES.failurePauseMs);
    expect(await prove(token)).toMatchObject({ ok: true });
  });

  it('that were never fetched are an outage, and are requested once every few seconds', async () => {
    const { prove, publish, asked, advance } = testIssuer([{}], []);
    publish(undefined);
    const token = await sign(key, GITHUB);
    for (let index = 0; index < 10; index += 1) await expect(prove(token)).rejects.toMatchObject({ code: 'gateway-unavailable' });
    expect(asked).toEqual([DISCOVERY]);
    advance(OUTAGE_TIMES.failurePauseMs);
    publish([key.publicJwk]);
    expect(await prove(token)).toMatchObject({ ok: true });
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['of another issuer', { issuer: `${ISSUER}/`, jwks_uri: JWKS }],
    ['that names no keys', { issuer: ISSUER }],
    ['with keys over plain http', { issuer: ISSUER, jwks_uri: 'http://tokens.example/keys' }],
    ['with keys on this machine', { issuer: ISSUER, jwks_uri: 'http://127.0.0.1/keys' }],
    ['with a user in the address', { issuer: ISSUER, jwks_uri: 'https://a:b@tokens.example/keys' }],
    ['with another scheme', { issuer: ISSUER, jwks_uri: 'file:///etc/passwd' }],
  ])('are not fetched for a description %s', async (_name, metadata) => {
    const { prove, describe: describeAs, asked } = testIssuer([{}], [key.publicJwk]);
    describeAs(metadata);
    await expect(prove(await sign(key, GITHUB))).rejects.toMatchObject({ code: 'gateway-unavailable' });
    expect(asked).toEqual([DISCOVERY]);
  });

  it('that are broken, shared or for encryption are ignored, and the others are used', async () => {
    const broken = [{ kty: 'RSA', kid: 'x', n: '!', e: 'AQAB' }, { kty: 'oct', kid: 'one', k: 'AAAA' }, { ...next.publicJwk, use: 'enc' }, { kid: 'y' }];
    const { prove } = testIssuer([{}], [...broken, key.publicJwk]);
    expect(await prove(await sign(key, GITHUB))).toMatchObject({ ok: true });
    expect(await prove(await sign(next, GITHUB))).toEqual({ ok: false, reason: 'jwt-signature' });
    expect(await prove(await sign(key, GITHUB, { kid: 'x' }))).toEqual({ ok: false, reason: 'jwt-signature' });
  });
});

/** Times of an issuer with the same clock. */
const AN_HOUR_AGO = { iat: 1_700_000_000 - 3_600, nbf: 1_700_000_000 - 3_600, exp: 1_700_000_000 };

describe('with the wall clock put back by an hour', () => {
  it('a withdrawn key is valid for at most ten minutes, and a new one is fetched', async () => {
    const { prove, publish, advance, putClock } = testIssuer([{}], [key.publicJwk]);
    expect((await prove(await sign(key, GITHUB))).ok).toBe(true);
    publish([next.publicJwk]);
    putClock(-3_600_000);
    advance(KEYS_TIMES.freshMs - 1);
    expect((await prove(await sign(key, { ...GITHUB, ...AN_HOUR_AGO }))).ok).toBe(true);
    advance(1);
    expect((await prove(await sign(key, { ...GITHUB, ...AN_HOUR_AGO }))).ok).toBe(false);
    expect((await prove(await sign(next, { ...GITHUB, ...AN_HOUR_AGO }))).ok).toBe(true);
  });

  it('an issuer that did not answer is asked again after five seconds, and not before', async () => {
    const { prove, publish, advance, putClock } = testIssuer([{}], [key.publicJwk]);
    publish(undefined);
    await expect(prove(await sign(key, GITHUB))).rejects.toThrow('cannot be fetched');
    publish([key.publicJwk]);
    putClock(-3_600_000);
    const token = await sign(key, { ...GITHUB, ...AN_HOUR_AGO });
    advance(OUTAGE_TIMES.failurePauseMs - 1);
    await expect(prove(token)).rejects.toThrow('cannot be fetched');
    advance(1);
    expect((await prove(token)).ok).toBe(true);
  });
});
