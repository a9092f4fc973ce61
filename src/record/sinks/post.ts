// POST to a receiver. It follows no redirect and bounds the answer.
import { Agent, request } from 'undici';
import { systemAuthorities } from '../../config/authorities.ts';
import { DeliveryError } from './sink.ts';

export interface Post {
  /** Returns the text of a 2xx answer. Throws DeliveryError for any other status. */
  send(body: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

export interface PostOptions {
  readonly url: string;
  readonly ca: string | null;
  readonly timeoutMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

const MOST_ANSWER_BYTES = 64 * 1024;

export function createPost({ url, ca, timeoutMs, headers: fixed }: PostOptions): Post {
  const agent = new Agent({
    connections: 1,
    maxResponseSize: MOST_ANSWER_BYTES,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: { timeout: timeoutMs, ca: ca ?? systemAuthorities() },
  });
  return {
    async send(body, headers, signal) {
      const answer = await request(url, {
        dispatcher: agent,
        method: 'POST',
        headers: { 'user-agent': 'lictor', 'accept-encoding': 'identity', ...headers, ...fixed },
        body,
        signal,
      });
      const text = await answer.body.text();
      const { statusCode: status } = answer;
      if (status >= 200 && status < 300) return text;
      throw new DeliveryError(`answers ${status}`, { tooLarge: status === 413, retryAfterMs: retryAfter(answer.headers['retry-after']) });
    },
    close: () => agent.destroy(),
  };
}

/** A number of seconds. A date is ignored: the pump's own wait applies. */
function retryAfter(value: string | string[] | undefined): number | null {
  return typeof value === 'string' && /^[0-9]{1,6}$/.test(value) ? Number(value) * 1000 : null;
}
