// Asks Prefect about objects for a decision: uncached, with the gateway's own credential, parsed strictly.
import type { Upstream, UpstreamAnswer, UpstreamRequest } from '../prefect/upstream.ts';
import { UpstreamError } from '../prefect/upstream-error.ts';
import type { Lookup } from './family.ts';
import { parseStrict, renderStrict } from './strict-json.ts';
import type { JsonValue } from './tree.ts';

/** Prefect's words for "there is none" and "that is no filter". */
const NOTHING = [404, 422];

/** With CSRF protection on, Prefect wants the token for a search as well: the client's own, which it takes more than once. */
const CSRF = ['prefect-csrf-token', 'prefect-csrf-client'];

/** `clientHeaders`: of the request that is decided on. Null for 404 and 422. Throws UpstreamError for anything else that is no readable answer: then there is nothing to decide on. */
export function createLookup(upstream: Pick<Upstream, 'request'>, clientHeaders: Readonly<Record<string, string>> = {}): Lookup {
  const csrf = Object.fromEntries(CSRF.flatMap((name) => (clientHeaders[name] === undefined ? [] : [[name, clientHeaders[name]]])));
  return async (path, filter) => {
    const answer = await upstream.request(filter === undefined ? { method: 'GET', path } : search(path, filter, csrf));
    if (NOTHING.includes(answer.status)) return null;
    return readable(answer, path);
  };
}

function search(path: string, filter: JsonValue, csrf: Readonly<Record<string, string>>): UpstreamRequest {
  return { method: 'POST', path, headers: { ...csrf, 'content-type': 'application/json' }, body: renderStrict(filter) };
}

function readable(answer: UpstreamAnswer, path: string): JsonValue {
  const parsed = answer.status === 200 ? parseStrict(answer.body) : null;
  if (parsed?.ok === true) return parsed.tree;
  throw new UpstreamError('upstream-unavailable', { forwarded: false, detail: `${path} answered ${answer.status}, which cannot be decided on` });
}
