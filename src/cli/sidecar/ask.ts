// One request with its whole answer in memory: to an identity provider, or to the gateway at the start.
import type { IncomingMessage } from 'node:http';
import type { Transport } from './transport.ts';

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

const MAX_ANSWER_BYTES = 256 * 1024;

/** Follows no redirect. Rejects with AskError if there is no whole answer. */
export async function ask(transport: Transport, url: URL, { method = 'GET', headers = {}, body = '', signal }: Ask = {}): Promise<Answer> {
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = transport.open(url, { method, headers: { 'accept-encoding': 'identity', ...headers }, ...(signal !== undefined && { signal }) });
      request.once('response', resolve).once('error', reject);
      request.end(body);
    });
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: await readBounded(answer, MAX_ANSWER_BYTES) };
  } catch (cause) {
    throw cause instanceof AskError ? cause : new AskError(url, failureOf(cause), cause);
  }
}

/** `message` names the host and what failed: never a path, a query or a header. */
export class AskError extends Error {
  override readonly name = 'AskError';
  readonly why: string;

  constructor(url: URL, why: string, cause?: unknown) {
    super(`${url.host} cannot be reached (${why}).`, { cause });
    this.why = why;
  }
}

/** The JSON object in a text. Empty for any other text. */
export function jsonObjectIn(text: Buffer | string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text.toString());
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Throws if there is more. */
export async function readBounded(stream: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    // Leaving the loop destroys the stream.
    if (size > maxBytes) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** `ECONNREFUSED`, `SELF_SIGNED_CERT_IN_CHAIN`, `TimeoutError`: a short name that contains no part of the request. */
export function failureOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if ('code' in error && typeof error.code === 'string' && error.code !== 'ABORT_ERR') return error.code;
  if (error instanceof AggregateError) return failureOf(error.errors[0]);
  return error.cause instanceof Error ? failureOf(error.cause) : error.name;
}

/** About the certificate, the host name or the protocol: waiting does not fix it. */
export function isLasting(why: string): boolean {
  return /CERT|SELF_SIGNED|ERR_TLS|UNABLE_TO|EPROTO|ENOTFOUND/.test(why);
}
