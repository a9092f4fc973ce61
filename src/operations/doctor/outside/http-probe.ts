// One HTTP request without following redirects. Every failure is a value.
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createSecureContext, type PeerCertificate, type SecureContext } from 'node:tls';

/** How certificates are verified: Node's own options of these names. */
export interface Trust {
  readonly ca: string[];
  readonly allowPartialTrustChain: boolean;
  readonly checkServerIdentity: (hostname: string, certificate: PeerCertificate) => Error | undefined;
}

/** Connections of one trust share its parsed authorities. */
export interface Judged extends Pick<Trust, 'checkServerIdentity'> {
  readonly secureContext: SecureContext;
}

const contexts = new WeakMap<Trust, SecureContext>();

/** Parsing a machine's authorities blocks the thread for 10 to 100 ms. If each of thirty sockets did so, the first would time out. */
export function judgedBy(trust: Trust): Judged {
  const { checkServerIdentity } = trust;
  const known = contexts.get(trust);
  if (known !== undefined) return { secureContext: known, checkServerIdentity };
  const secureContext = createSecureContext({ ca: trust.ca, allowPartialTrustChain: trust.allowPartialTrustChain });
  contexts.set(trust, secureContext);
  return { secureContext, checkServerIdentity };
}

export interface ProbeRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** By default certificates are not verified, so send no secret then. */
  readonly tls?: Trust;
  /** The source of the connection, where a machine has several. */
  readonly localAddress?: string;
  /** Default: 8 s. */
  readonly timeoutMs?: number;
}

export interface ProbeAnswer {
  readonly ok: true;
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** At most 8 MiB. */
  readonly body: string;
  /** The start of the answer, by this machine's clock. */
  readonly atMs: number;
  /** One for each Set-Cookie. */
  readonly setCookies: readonly string[];
  /** The source of the connection. */
  readonly localAddress: string;
}

export type Probe = ProbeAnswer | { readonly ok: false; readonly error: string };

const TIMEOUT_MS = 8_000;
const MAX_BYTES = 8 * 1024 * 1024;

/** Never rejects. `error` is the system's code, for example ECONNREFUSED, or its message. */
export function probe(asked: ProbeRequest): Promise<Probe> {
  return new Promise((resolve) => {
    const { timeoutMs = TIMEOUT_MS, localAddress } = asked;
    const from = localAddress === undefined ? {} : { localAddress };
    const options = { method: asked.method ?? 'GET', headers: { connection: 'close', ...asked.headers }, timeout: timeoutMs, agent: false, ...from };
    const secure = asked.url.startsWith('https:');
    const trust = asked.tls === undefined ? { rejectUnauthorized: false } : judgedBy(asked.tls);
    const call = secure ? httpsRequest(asked.url, { ...options, ...trust }) : httpRequest(asked.url, options);
    call.once('response', (response) => {
      const atMs = Date.now();
      const sourceAddress = response.socket.localAddress ?? '';
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BYTES) call.destroy(new Error('the answer is too large'));
        else chunks.push(chunk);
      });
      response.once('end', () => {
        const seen = { headers: flat(response.headers), setCookies: response.headers['set-cookie'] ?? [], localAddress: sourceAddress, atMs };
        resolve({ ok: true, status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), ...seen });
      });
    });
    call.once('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    call.once('error', (error) => resolve({ ok: false, error: 'code' in error && typeof error.code === 'string' ? error.code : error.message }));
    call.end(asked.body);
  });
}

/** HTML instead of JSON points to a proxy or a UI in between. */
export function isHtml({ headers, body }: Pick<ProbeAnswer, 'headers' | 'body'>): boolean {
  return (headers['content-type'] ?? '').includes('text/html') || /^\s*<(?:!doctype|html)/i.test(body);
}

/** A field of a JSON object. Undefined: not a JSON object, or no such field. */
export function jsonField(body: string, name: string): unknown {
  const value = parseJson(body);
  return typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;
}

/** Undefined: not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `by "nginx/1.24"`, if the server names itself. */
export function serverWords({ headers }: Pick<ProbeAnswer, 'headers'>): string {
  const name = headers['server'] ?? headers['via'];
  return name === undefined ? '' : ` (by ${JSON.stringify(name.slice(0, 60))})`;
}

function flat(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, typeof value === 'string' ? value : value.join(', ')]])),
  );
}
