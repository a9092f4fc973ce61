// The vector is OpenID Connect Core's own (A.3).
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fitsAccessToken } from './access-token-hash.ts';

const TOKEN = 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y';
const HASH = '77QmUPtjPfzWtF2AnpK9RQ';

describe('the hash of an access token', () => {
  it('matches its own token, and no other', () => {
    expect(fitsAccessToken(HASH, TOKEN, 'RS256')).toBe(true);
    expect(fitsAccessToken(HASH, TOKEN, 'ES256')).toBe(true);
    expect(fitsAccessToken(HASH, `${TOKEN}x`, 'RS256')).toBe(false);
    expect(fitsAccessToken(HASH, TOKEN, 'EdDSA')).toBe(false);
    expect(fitsAccessToken('Q5y_E_k_Z9k4yH5uMCvtDGnx0LpY1qJ0BzwMBN5lhcE', TOKEN, 'Ed25519')).toBe(false);
  });

  it('is half of SHA-512 for EdDSA', () => {
    expect(fitsAccessToken(halfOfSha512(TOKEN), TOKEN, 'EdDSA')).toBe(true);
    expect(fitsAccessToken(halfOfSha512(TOKEN), TOKEN, 'RS256')).toBe(false);
  });

  it('may be missing, but not have another form', () => {
    expect(fitsAccessToken(undefined, TOKEN, 'RS256')).toBe(true);
    for (const claim of ['', null, 7, [HASH], HASH.slice(1), `${HASH}==`]) expect(fitsAccessToken(claim, TOKEN, 'RS256'), String(claim)).toBe(false);
    expect(fitsAccessToken(HASH, TOKEN, 'HS256')).toBe(false);
  });
});

function halfOfSha512(text: string): string {
  return Buffer.from(createHash('sha512').update(text).digest().subarray(0, 32)).toString('base64url');
}
