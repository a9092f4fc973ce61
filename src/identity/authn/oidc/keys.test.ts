// The age of a provider's keys while the wall clock steps.
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createKeys, type Keys } from './keys.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

interface Pair {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

let [former, latter]: readonly Pair[] = [];
let published: readonly JWK[];
let asked: number;
let steadyMs: number;
let keys: Keys;

async function pair(kid: string): Promise<Pair> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' } };
}

beforeAll(async () => {
  [former, latter] = [await pair('former'), await pair('latter')];
});
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
  published = former === undefined ? [] : [former.jwk];
  [asked, steadyMs] = [0, 0];
  const fetch = async (): Promise<Response> => {
    asked += 1;
    return Response.json({ keys: published });
  };
  keys = createKeys('https://idp.example/keys', { fetch }, { clock: Date.now, steady: () => steadyMs });
});
afterEach(() => void vi.useRealTimers());

/** Time passes, and the wall clock steps by `putMs` as well. */
function pass(ms: number, putMs = 0): void {
  steadyMs += ms;
  vi.setSystemTime(Date.now() + ms + putMs);
}

async function isGood(by: Pair | undefined): Promise<boolean> {
  if (by === undefined) return false;
  const token = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: by.jwk.kid ?? '' }).sign(by.privateKey);
  return keys.verify(token, { freshly: false }).then(
    () => true,
    () => false,
  );
}

describe.each([
  ['put back by an hour', -HOUR_MS],
  ['left alone', 0],
])('with the clock %s', (_what, putMs) => {
  it('a withdrawn key is valid for at most ten minutes', async () => {
    expect(await isGood(former)).toBe(true);
    published = latter === undefined ? [] : [latter.jwk];
    pass(10 * MINUTE_MS - 1, putMs);
    expect([await isGood(former), asked]).toEqual([true, 1]);
    pass(1);
    expect([await isGood(former), await isGood(latter)]).toEqual([false, true]);
  });

  it('an unknown key is fetched, at most once in ten seconds', async () => {
    await isGood(former);
    published = latter === undefined ? [] : [latter.jwk];
    pass(9_999, putMs);
    expect([await isGood(latter), asked]).toEqual([false, 1]);
    pass(1);
    expect([await isGood(latter), asked]).toEqual([true, 2]);
  });
});
