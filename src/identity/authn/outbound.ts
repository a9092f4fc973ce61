// Requests to identity providers: without redirects, with bounds on time and size, and with configured authorities.
import { readFileSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { Agent, request } from 'undici';

export interface OutboundRequest {
  /** GET by default. */
  readonly method?: string;
  readonly headers?: Headers | Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams | Uint8Array | null | undefined;
  readonly signal?: AbortSignal | null | undefined;
}

export interface Outbound {
  /**
   * Returns the whole answer, also a redirect, as a Response with its body in memory. Fits openid-client's `customFetch`.
   * Throws OutboundError if there is no whole answer in time.
   */
  fetch(url: string | URL, request?: OutboundRequest): Promise<Response>;
  close(): Promise<void>;
}

export interface OutboundOptions {
  /** PEM file of the authorities; null: the system's. */
  readonly caFile: string | null;
  readonly timeoutMs?: number;
  readonly maxAnswerBytes?: number;
  /** Left out: the system's. */
  readonly lookup?: LookupFunction;
}

/** There is no answer. `message` names the host and what failed, never a query, a header or a body. Safe to log. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
}

const TIMEOUT_MS = 5000;
const MAX_ANSWER_BYTES = 256 * 1024;
const CONNECTIONS = 8;
/** RFC 9110 15.3.5 and 15.4.5: a Response of these may have no body. */
const BODILESS: readonly number[] = [204, 205, 304];

export function createOutbound({ caFile, timeoutMs = TIMEOUT_MS, maxAnswerBytes = MAX_ANSWER_BYTES, lookup }: OutboundOptions): Outbound {
  const agent = new Agent({
    connections: CONNECTIONS,
    maxResponseSize: maxAnswerBytes,
    connect: { timeout: timeoutMs, ...(caFile !== null && { ca: readFileSync(caFile, 'utf8') }), ...(lookup !== undefined && { lookup }) },
  });
  const send = async (url: URL, { method = 'GET', headers, body, signal }: OutboundRequest): Promise<Response> => {
    const deadline = AbortSignal.timeout(timeoutMs);
    const answer = await request(url, {
      dispatcher: agent,
      method,
      headers: ownHeaders(headers, body),
      body: body instanceof URLSearchParams ? body.toString() : (body ?? null),
      signal: signal === null || signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
    // Undici's request decodes nothing, and Lictor asks for no encoding. So the bound applies to the bytes that are parsed.
    const encoding = answer.headers['content-encoding'];
    const content = Buffer.from(await answer.body.arrayBuffer());
    if (encoding !== undefined && encoding !== 'identity') throw new OutboundError(`${url.host} sent an encoded answer`);
    return new Response(BODILESS.includes(answer.statusCode) ? null : content, { status: answer.statusCode, headers: flatten(answer.headers) });
  };
  return {
    async fetch(address, options = {}) {
      const url = new URL(address);
      try {
        return await send(url, options);
      } catch (cause) {
        throw cause instanceof OutboundError ? cause : new OutboundError(`${url.host} gave no answer: ${failureOf(cause)}`, { cause });
      }
    },
    close: () => agent.destroy(),
  };
}

/** A short name of the failure: `ECONNREFUSED`, `UND_ERR_RES_EXCEEDED_MAX_SIZE`, `TimeoutError`. */
function failureOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause instanceof Error ? failureOf(error.cause) : error.name;
}

function ownHeaders(given: OutboundRequest['headers'], body: OutboundRequest['body']): Record<string, string> {
  const headers = new Headers(given);
  headers.set('accept-encoding', 'identity');
  if (body instanceof URLSearchParams && !headers.has('content-type')) headers.set('content-type', 'application/x-www-form-urlencoded;charset=UTF-8');
  return Object.fromEntries(headers);
}

function flatten(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const flat = new Headers();
  for (const [name, value] of Object.entries(headers)) for (const one of [value ?? []].flat()) flat.append(name, one);
  return flat;
}
