// Parses a JWT strictly: three segments of base64url, two JSON objects without duplicate keys. Proves nothing.
import { parseStrict } from '../../../contract/json/strict-json.ts';

export type Claims = Readonly<Record<string, unknown>>;

export interface CompactJwt {
  readonly text: string;
  readonly header: Claims;
  readonly payload: Claims;
}

/** More than any issuer writes, less than nginx accepts in one header line. */
const MAX_LENGTH = 16 * 1024;
const SEGMENTS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

/** By its form, signed or not. Lictor's own tokens contain no dot. */
export function looksLikeJwt(text: string): boolean {
  return SEGMENTS.test(text);
}

/** RFC 7515 7.1. Undefined: too long, not three segments, no signature, or not strictly parsable. */
export function parseCompactJwt(text: string): CompactJwt | undefined {
  if (text.length > MAX_LENGTH || !looksLikeJwt(text)) return undefined;
  const [headerText = '', payloadText = '', signature = ''] = text.split('.');
  if (signature === '' || decode(signature) === undefined) return undefined;
  const header = parseObject(headerText);
  const payload = parseObject(payloadText);
  return header === undefined || payload === undefined ? undefined : { text, header, payload };
}

/** An own claim. */
export function claim(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

export function isClaims(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The strict parser checks the whole text. What it accepts, the plain parser reads the same way. */
function parseObject(segment: string): Claims | undefined {
  const bytes = decode(segment);
  if (bytes === undefined || !parseStrict(bytes).ok) return undefined;
  const value: unknown = JSON.parse(bytes.toString('utf8'));
  return isClaims(value) ? value : undefined;
}

/** One spelling only: Node's decoder ignores invalid characters. */
function decode(segment: string): Buffer | undefined {
  const bytes = Buffer.from(segment, 'base64url');
  return bytes.toString('base64url') === segment ? bytes : undefined;
}
