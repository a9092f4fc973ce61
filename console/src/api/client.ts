// The client of the admin API: its types come from the API's own document.
import createClient from 'openapi-fetch';
import { LICTOR } from '../app/base.ts';
import { NO_ANSWER, Problem, problemOf } from './problem.ts';
import type { paths } from './schema.d.ts';

let csrfToken = '';

/** Of the last answer about the signed-in person. Every write carries it. */
export function setCsrfToken(token: string): void {
  csrfToken = token;
}

export const api = createClient<paths>({ baseUrl: `${LICTOR}/api/v1`, headers: { accept: 'application/json' }, redirect: 'error' });

api.use({
  onRequest({ request }) {
    if (request.method !== 'GET') request.headers.set('x-csrf-token', csrfToken);
  },
});

/** In `params` of a change: for its type only. The client writes the value. */
export const PROOF = { 'x-csrf-token': '' };

interface Answered<Data> {
  readonly data?: Data;
  readonly error?: unknown;
  readonly response: Response;
}

/** The data of an answer: `await answerOf(api.GET('/me', { signal }))`. Throws a Problem. */
export async function answerOf<Data>(asked: Promise<Answered<Data>>): Promise<Data> {
  const { data, error, response } = await asked.catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new Problem(NO_ANSWER);
  });
  if (!response.ok || data === undefined) throw problemOf(response, error);
  return data;
}
