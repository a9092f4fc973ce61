// An AWS signature, version 4, over exactly the bytes for the server: path and query in a form that all servers parse alike, and the body.
import type { OutgoingHttpHeaders } from 'node:http';
import type { AuthenticatedCall, AuthStrategy, OutgoingCall } from './auth-strategy.ts';
import { MOST_PARTS } from './query-key.ts';

export interface SigningCall {
  readonly method: string;
  readonly host: string;
  /** The path in its canonical form, and the parsed names and values of the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, readonly string[]>>;
  /** The signed headers, besides those that the signer adds. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The headers of the signature. Undefined: there are no credentials now. Never rejects. */
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
  const passed = withoutOwn(headers);
  const query = Object.fromEntries(
    Map.groupBy(pairs, ({ name }) => name)
      .entries()
      .map(([name, same]) => [name, same.map(({ value }) => value ?? '')]),
  );
  const host = String(headers['host'] ?? '');
  const signed = await sign({ method, host, path: onePath, query, headers: signedOf(passed), body: body ?? Buffer.alloc(0) });
  if (signed === undefined) return { ok: false, reason: 'service-credential-unavailable' };
  const text = pairs.map(({ name, value }) => (value === null ? encodeText(name) : `${encodeText(name)}=${encodeText(value)}`)).join('&');
  return { ok: true, target: rest.length === 0 ? onePath : `${onePath}?${text}`, headers: { ...passed, ...signed } };
}

/** Parameters of a second signature, by the caller. */
const OWN_PARAMETERS: ReadonlySet<string> = new Set([
  ...['x-amz-algorithm', 'x-amz-credential', 'x-amz-date', 'x-amz-expires', 'x-amz-security-token', 'x-amz-signature', 'x-amz-signedheaders'],
  ...['awsaccesskeyid', 'signature'],
]);

/** Only the signer sets them. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['authorization', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token']);

function withoutOwn(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN_HEADERS.has(name)));
}

/** The headers that a server may evaluate. Other headers may change on their way. */
function signedOf(headers: OutgoingHttpHeaders): Readonly<Record<string, string>> {
  const signed = Object.entries(headers).filter(([name]) => name === 'content-type' || name === 'content-md5' || name.startsWith('x-amz-'));
  return Object.fromEntries(signed.map(([name, value]) => [name, String(value)]));
}

interface Pair {
  readonly name: string;
  /** Null: there is no `=`. */
  readonly value: string | null;
}

/** A `+` is a space, as in forms. It is sent as `%20`, which all servers parse alike. Undefined: there are too many pairs, or invalid UTF-8, which cannot be signed. */
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

/** One character for each byte. */
function decode(text: string): string {
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function encodeBytes(bytes: string): string {
  return bytes.replaceAll(/[^A-Za-z0-9._~-]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

function encodeText(text: string): string {
  return encodeBytes(Buffer.from(text).toString('latin1'));
}
