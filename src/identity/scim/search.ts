// POST /.search, /Users/.search and /Groups/.search (RFC 7644, 3.4.3): the same lists, with the question in the body.
import type { Json } from './attributes.ts';
import { ScimError } from './error.ts';
import { answerGroups } from './groups.ts';
import { bodyOf, listAnswer, notAllowed, pageOf, type ScimAnswer, type ScimParts, type ScimRequest } from './request.ts';
import { answerUsers } from './users.ts';

const LISTS = { users: answerUsers, groups: answerGroups } as const;
const QUESTIONS = ['attributes', 'excludedAttributes', 'filter', 'startIndex', 'count'] as const;

/** `kinds`: the lists, one after the other. A list without the attribute of the filter has no match. */
export async function search(parts: ScimParts, request: ScimRequest, kinds: readonly (keyof typeof LISTS)[]): Promise<ScimAnswer> {
  if (request.method !== 'POST') throw notAllowed();
  const query = questionOf(bodyOf(request));
  const { startIndex, most } = pageOf(query);
  const resources: unknown[] = [];
  const problems: ScimError[] = [];
  let total = 0;
  for (const kind of kinds) {
    const page = new URLSearchParams(query);
    page.set('startIndex', String(resources.length > 0 ? 1 : startIndex - total));
    page.set('count', String(most - resources.length));
    try {
      const { body } = await LISTS[kind](parts, { ...request, method: 'GET', query: page }, undefined);
      total += Number(body?.['totalResults']);
      resources.push(...[body?.['Resources'] ?? []].flat());
    } catch (error) {
      if (!(error instanceof ScimError)) throw error;
      problems.push(error);
    }
  }
  if (problems.length === kinds.length && problems[0] !== undefined) throw problems[0];
  return listAnswer(resources, { total, startIndex });
}

function questionOf(body: Json): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of QUESTIONS) if (body[name] !== undefined && body[name] !== null) query.set(name, String(body[name]));
  return query;
}
