// Asks Prefect about objects for a decision: uncached, with the gateway's own credential, parsed strictly.
import { randomUUID } from 'node:crypto';
import { renderStrict } from '../../contract/json/strict-json.ts';
import type { JsonValue } from '../../contract/json/tree.ts';
import { answerObject, parseAnswer, textField } from './answer.ts';
import type { Upstream, UpstreamAnswer } from './upstream.ts';
import { UpstreamError } from './upstream-error.ts';

/**
 * Asks Prefect, uncached, with the gateway's own credential: GET, or with a filter POST. Null when there is none, or when Prefect
 * does not take the filter; throws when it cannot be asked or understood.
 */
export type Lookup = (path: string, filter?: JsonValue) => Promise<JsonValue | null>;

type Asked = Pick<Upstream, 'request'>;

/** Prefect's words for "there is none" and "that is no filter". */
const NOTHING = [404, 422];

/** Null for 404 and 422. Throws UpstreamError for anything else that is no readable answer: then there is nothing to decide on. */
export function createLookup(upstream: Asked): Lookup {
  return async (path, filter) => {
    const answer = await twice(() => (filter === undefined ? upstream.request({ method: 'GET', path }) : search(upstream, path, filter)));
    if (NOTHING.includes(answer.status)) return null;
    return readable(answer, path);
  };
}

/**
 * Prefect closes a connection right after a 5xx of its own, and an idle one by its own clock: who asks on it in that moment is cut off.
 * A lookup changes nothing, so it is made once more (RFC 9110, section 9.2.2).
 */
async function twice(ask: () => Promise<UpstreamAnswer>): Promise<UpstreamAnswer> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof UpstreamError) || !error.broken) throw error;
    return await ask();
  }
}

/** With its CSRF protection on, Prefect wants a token for a search as well. It is asked for only then, under a name of its own each time. */
async function search(upstream: Asked, path: string, filter: JsonValue): Promise<UpstreamAnswer> {
  const body = renderStrict(filter);
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
