// The text of a Lictor token: prefix + id + secret + checksum, fixed width, one alphabet, one spelling. lct_ is a service token, lca_ an
// access token in exchange for another provider's proof. For a person's login: lcu_ is the access token, lcr_ the refresh token, lcd_ a device code,
// lcc_ an authorization code. lcf_ is the token of a flow run.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Crockford's base32 in lower case: no i, l, o or u, so no two letters look alike. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const ID_LENGTH = 10;
/** 256 bits at 5 a letter. */
const SECRET_LENGTH = 52;
const CHECKSUM_LENGTH = 6;
const SECRET_BYTES = 32;

export const TOKEN_PREFIXES = ['lct_', 'lca_', 'lcu_', 'lcr_', 'lcd_', 'lcc_', 'lcf_'] as const;
export type TokenPrefix = (typeof TOKEN_PREFIXES)[number];

/** For secret scanners, also those with a pattern of the user. */
const SHAPE = /^(lc[taurdcf]_)([0-9a-hjkmnp-tv-z]{10})([0-9a-hjkmnp-tv-z]{52})([0-9a-hjkmnp-tv-z]{6})$/;

export interface TokenText {
  /** Public: names the token in lists and records. */
  readonly id: string;
  /** The whole text. Lictor shows it once and never stores it. */
  readonly text: string;
}

export function createTokenId(): string {
  return [...randomBytes(ID_LENGTH)].map((byte) => ALPHABET[byte & 31] ?? '').join('');
}

/** A token with a new secret. The id stays the same over rotations. */
export function createTokenText(id: string, prefix: TokenPrefix = 'lct_'): TokenText {
  const secret = encode(randomBytes(SECRET_BYTES));
  return { id, text: `${prefix}${id}${secret}${checksum(prefix, id, secret)}` };
}

/** The token that `key` derives from `about`: always the same. Without the key it cannot be guessed. */
export function deriveTokenText(key: Buffer, about: string, prefix: TokenPrefix): TokenText {
  const derive = (what: string): Buffer => createHmac('sha256', key).update(`${what} ${prefix}${about}`).digest();
  const id = [...derive('id').subarray(0, ID_LENGTH)].map((byte) => ALPHABET[byte & 31] ?? '').join('');
  const secret = encode(derive('secret'));
  return { id, text: `${prefix}${id}${secret}${checksum(prefix, id, secret)}` };
}

/** Undefined unless the text has exactly this form and a correct checksum: a typo never reaches the store. Does not check validity. */
export function parseTokenText(text: string, expected: TokenPrefix = 'lct_'): TokenText | undefined {
  const match = SHAPE.exec(text);
  const [, prefix = '', id = '', secret = '', sum = ''] = match ?? [];
  if (prefix !== expected || !isCanonical(secret) || checksum(prefix, id, secret) !== sum) return undefined;
  return { id, text };
}

/** True for every text with a prefix of Lictor, well-formed or not. */
export function claimsToBeToken(text: string): boolean {
  return TOKEN_PREFIXES.some((prefix) => text.startsWith(prefix));
}

/** The store has only this hash. 256 random bits need no slow hash. */
export function hashToken(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** In constant time for equally long texts. Both are hashes. */
export function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** 256 bits leave 4 of the last letter's 5 bits unused. They must be zero, or the same secret would have 16 spellings. */
function isCanonical(secret: string): boolean {
  return (ALPHABET.indexOf(secret.at(-1) ?? '') & 0b01111) === 0;
}

function encode(bytes: Buffer): string {
  return encodeBits([...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join(''), SECRET_LENGTH);
}

/** 30 bits, against typos and for scanners; not against attackers. */
function checksum(prefix: string, id: string, secret: string): string {
  const digest = createHash('sha256').update(`${prefix}${id}${secret}`).digest();
  return encodeBits((digest.readUInt32BE() >>> 2).toString(2).padStart(30, '0'), CHECKSUM_LENGTH);
}

function encodeBits(bits: string, length: number): string {
  let text = '';
  for (let index = 0; index < length; index += 1) text += ALPHABET[Number.parseInt(bits.slice(index * 5, index * 5 + 5).padEnd(5, '0'), 2)] ?? '';
  return text;
}
