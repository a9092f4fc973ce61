// A signature of AWS, version 4, over exactly what goes to the server: path and query in the one form that every reader of them agrees on, and the body.
import type { OutgoingHttpHeaders } from 'node:http';
import type { AuthenticatedCall, AuthStrategy, OutgoingCall } from './auth-strategy.ts';
import { MOST_PARTS } from './query-key.ts';

export interface SigningCall {
  readonly method: string;
  readonly host: string;
  /** Path in its one form; the query's names and values, as they are read. */
  readonly path: string;
  readonly query: Readonly<Record<string, readonly string[]>>;
  /** What is signed beside what the signer adds. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The headers that the signature consists of. Undefined: there are no credentials just now. Never rejects. */
export type Signer = (call: SigningCall) => Promise<Readonly<Record<string, string>> | undefined>;

export function signingStrategy(sign: Signer): AuthStrategy {
  return { readsBody: true, clean: null, authenticateCall: (call) => authenticateCall(call, sign) };
}

async function authenticateCall({ method, target, headers, body }: OutgoingCall, sign: Signer): Promise<AuthenticatedCall> {
  const [path = '/', ...rest] = target.split('?');
  const pairs = parsePairs(rest.join('?'));
  const isSound = pairs !== undefined && !pairs.some(({ name }) => OWN_PARAMETERS.has(name.toLowerCase()));
  if (target.includes('#') || !isSound) return { ok: false, reason: 'request-invalid' };
  const onePath = path
    .split('/')
    .map((segment) => encodeBytes(decode(segment)))
    .join('/');
  const kept = withoutOwn(headers);
  const query = Object.fromEntries(
    Map.groupBy(pairs, ({ name }) => name)
      .entries()
      .map(([name, same]) => [name, same.map(({ value }) => value ?? '')]),
  );
  const host = String(headers['host'] ?? '');
  const signed = await sign({ method, host, path: onePath, query, headers: signedOf(kept), body: body ?? Buffer.alloc(0) });
  if (signed === undefined) return { ok: false, reason: 'service-credential-unavailable' };
  const text = pairs.map(({ name, value }) => (value === null ? encodeText(name) : `${encodeText(name)}=${encodeText(value)}`)).join('&');
  return { ok: true, target: rest.length === 0 ? onePath : `${onePath}?${text}`, headers: { ...kept, ...signed } };
}

/** A second signature, of the caller's. */
const OWN_PARAMETERS: ReadonlySet<string> = new Set([
  ...['x-amz-algorithm', 'x-amz-credential', 'x-amz-date', 'x-amz-expires', 'x-amz-security-token', 'x-amz-signature', 'x-amz-signedheaders'],
  ...['awsaccesskeyid', 'signature'],
]);

/** The signer's alone. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['authorization', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token']);

function withoutOwn(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN_HEADERS.has(name)));
}

/** What a server may read of a call: the others may change on their way. */
function signedOf(headers: OutgoingHttpHeaders): Readonly<Record<string, string>> {
  const signed = Object.entries(headers).filter(([name]) => name === 'content-type' || name === 'content-md5' || name.startsWith('x-amz-'));
  return Object.fromEntries(signed.map(([name, value]) => [name, String(value)]));
}

interface Pair {
  readonly name: string;
  /** Null: there is no `=`. */
  readonly value: string | null;
}

/** A `+` is a space, as forms have it; it goes on as `%20`, which everybody reads alike. Undefined: there are too many, or it is no UTF-8, and could not be signed as it is. */
function parsePairs(query: string): readonly Pair[] | undefined {
  const parts = query.split('&').filter((part) => part !== '');
  if (parts.length > MOST_PARTS) return undefined;
  const bytes = decode(query.replaceAll('+', ' '));
  if (Buffer.from(bytes, 'latin1').toString('utf8').includes('\ufffd')) return undefined;
  return parts.map((part) => {
    const at = part.indexOf('=');
    const read = (text: string): string => Buffer.from(decode(text.replaceAll('+', ' ')), 'latin1').toString('utf8');
    return at < 0 ? { name: read(part), value: null } : { name: read(part.slice(0, at)), value: read(part.slice(at + 1)) };
  });
}

/** Bytes, one letter each. */
function decode(text: string): string {
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function encodeBytes(bytes: string): string {
  return bytes.replaceAll(/[^A-Za-z0-9._~-]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

function encodeText(text: string): string {
  return encodeBytes(Buffer.from(text).toString('latin1'));
}
