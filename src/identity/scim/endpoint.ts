// SCIM 2.0 (RFC 7644) for one identity provider: a request -> an answer. Each change is one transaction.
import { errorBody, notFound, ScimError } from './error.ts';
import { answerGroups } from './groups.ts';
import { listAnswer, notAllowed, type ScimAnswer, type ScimParts, type ScimRequest } from './request.ts';
import { discoveryOf, serviceProviderConfig } from './schemas.ts';
import { search } from './search.ts';
import { answerUsers } from './users.ts';

/** Throws only for outages. */
export async function answerScim(parts: ScimParts, request: ScimRequest): Promise<ScimAnswer> {
  try {
    return await route(parts, request);
  } catch (error) {
    if (error instanceof ScimError) return { status: error.status, body: errorBody(error) };
    throw error;
  }
}

async function route(parts: ScimParts, request: ScimRequest): Promise<ScimAnswer> {
  const [name = '', id, ...further] = request.path.split('/');
  const kind = name.toLowerCase();
  if (further.length > 0) throw notFound();
  if (kind === '.search' && id === undefined) return await search(parts, request, ['users', 'groups']);
  if ((kind === 'users' || kind === 'groups') && id === '.search') return await search(parts, request, [kind]);
  if (kind === 'users') return await answerUsers(parts, request, id);
  if (kind === 'groups') return await answerGroups(parts, request, id);
  return discover(parts, request, { kind, id });
}

function discover({ base }: ScimParts, { method, query }: ScimRequest, { kind, id }: { readonly kind: string; readonly id: string | undefined }): ScimAnswer {
  const isConfig = kind === 'serviceproviderconfig' && id === undefined;
  const list = discoveryOf(base)[kind];
  if (!isConfig && list === undefined) throw notFound();
  if (method !== 'GET') throw notAllowed();
  // RFC 7644, 4: a filter is refused, so that no client takes the whole list for a filtered one.
  if (query.has('filter')) throw new ScimError(403, 'This list has no filter.');
  if (isConfig) return { status: 200, body: serviceProviderConfig(base) };
  if (id === undefined)
    return listAnswer(
      (list ?? []).map(({ resource }) => resource),
      { total: list?.length ?? 0, startIndex: 1 },
    );
  const found = list?.find((one) => one.id === decodeURIComponent(id));
  if (found === undefined) throw notFound();
  return { status: 200, body: found.resource };
}
