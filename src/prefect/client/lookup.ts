// Asks Prefect about objects for a decision: uncached, with the gateway's own credential, parsed strictly.
import { randomUUID } from 'node:crypto';
import { renderStrict } from '../../contract/json/strict-json.ts';
import type { JsonValue } from '../../contract/json/tree.ts';
import { answerObject, parseAnswer, textField } from './answer.ts';
import type { Upstream, UpstreamAnswer } from './upstream.ts';
import { UpstreamError } from './upstream-error.ts';

/**
 * Asks Prefect with the gateway's own credential: GET, or POST with a filter. Null when the object does not exist, or when Prefect rejects the
 * filter. Throws when Prefect does not answer, or not readably.
 */
export type Lookup = (path: string, filter?: JsonValue) => Promise<JsonValue | null>;

type Client = Pick<Upstream, 'request'>;

/** Not found, and rejected filter. */
const NOTHING = [404, 422];

/** Uncached. Throws UpstreamError for every answer that is neither 200 with JSON nor 404 or 422. */
export function createLookup(upstream: Client): Lookup {
  return async (path, filter) => {
    const answer = await twice(() => (filter === undefined ? upstream.request({ method: 'GET', path }) : post(upstream, path, filter)));
    if (NOTHING.includes(answer.status)) return null;
    return readable(answer, path);
  };
}

/**
 * Prefect closes connections after a 5xx and when they are idle, and a request may arrive at that moment. A lookup changes nothing, so Lictor
 * repeats it once (RFC 9110, section 9.2.2).
 */
async function twice(ask: () => Promise<UpstreamAnswer>): Promise<UpstreamAnswer> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof UpstreamError) || !error.broken) throw error;
    return await ask();
  }
}

/** With CSRF protection on, Prefect requires a token, for a search as well. Lictor requests it only then, under a new client name each time. */
export async function post(upstream: Client, path: string, tree: JsonValue): Promise<UpstreamAnswer> {
  const body = renderStrict(tree);
  const ask = (csrf: Readonly<Record<string, string>>) =>
    upstream.request({ method: 'POST', path, headers: { ...csrf, 'content-type': 'application/json' }, body });
  const answer = await ask({});
  if (answer.status !== 403) return answer;
  const client = randomUUID();
  const token = textField(answerObject(await upstream.request({ method: 'GET', path: '/api/csrf-token', query: `client=${client}` })), 'token');
  return token === null ? answer : ask({ 'prefect-csrf-client': client, 'prefect-csrf-token': token });
}

function readable(answer: UpstreamAnswer, path: string): JsonValue {
  const parsed = answer.status === 200 ? parseAnswer(answer) : null;
  if (parsed?.ok === true) return parsed.tree;
  throw new UpstreamError('upstream-unavailable', { forwarded: false, detail: `${path} answered ${answer.status}, which cannot be decided on` });
}
