// The text of a JWT, read strictly: three segments of base64url, two JSON objects without doubled keys. Proves nothing.
import { parseStrict } from '../../../contract/json/strict-json.ts';

export type Claims = Readonly<Record<string, unknown>>;

export interface CompactJwt {
  readonly text: string;
  readonly header: Claims;
  readonly payload: Claims;
}

/** Above what any issuer writes, below what nginx takes in one header line. */
const MAX_LENGTH = 16 * 1024;
const SEGMENTS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

/** Whatever has the form, signed or not; no token of our own has a dot in it. */
export function looksLikeJwt(text: string): boolean {
  return SEGMENTS.test(text);
}

/** RFC 7515 7.1. Undefined: too long, not three segments, or none of our reading; a signature must be there. */
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

/** The strict parser looks at the whole text; what it accepts the plain one reads the same. */
function parseObject(segment: string): Claims | undefined {
  const bytes = decode(segment);
  if (bytes === undefined || !parseStrict(bytes).ok) return undefined;
  const value: unknown = JSON.parse(bytes.toString('utf8'));
  return isClaims(value) ? value : undefined;
}

/** One spelling only: Node's own decoder skips over what it cannot read. */
function decode(segment: string): Buffer | undefined {
  const bytes = Buffer.from(segment, 'base64url');
  return bytes.toString('base64url') === segment ? bytes : undefined;
}
