// /Users of SCIM.
import type { Json } from './attributes.ts';
import { notFound } from './error.ts';
import { parseFilter } from './filter.ts';
import { type Operation, parsePatch, patchUser } from './patch.ts';
import { bodyOf, type Change, listAnswer, notAllowed, pageOf, pick, required, type ScimAnswer, type ScimParts, type ScimRequest, taken } from './request.ts';
import { fromUser, parseUser, toUser, userResource } from './resources.ts';

/** `id` undefined: all users. */
export async function answerUsers(parts: ScimParts, request: ScimRequest, id: string | undefined): Promise<ScimAnswer> {
  const { method } = request;
  if (id !== undefined) return method === 'DELETE' ? await deleteUser(parts, request, id) : await answerUser(parts, request, id);
  if (method === 'GET') return await listUsers(parts, request);
  if (method === 'POST') return await createUser(parts, request);
  throw notAllowed();
}

async function listUsers({ store, base }: ScimParts, { idp, query }: ScimRequest): Promise<ScimAnswer> {
  const { startIndex, most } = pageOf(query);
  const page = await store.read(idp).users({ equals: parseFilter(query.get('filter') ?? undefined, 'username'), offset: startIndex - 1, most });
  const resources = page.resources.map((user) => pick(userResource(user, base), query));
  return listAnswer(resources, { total: page.total, startIndex });
}

async function createUser({ store, base }: ScimParts, request: ScimRequest): Promise<ScimAnswer> {
  const user = toUser({ active: true, ...parseUser(bodyOf(request)) });
  const id = await store.change(request.idp, async (changes) => required(await changes.createUser(user)));
  const resource = userResource(required(await store.read(request.idp).user(id)), base);
  return { status: 201, body: pick(resource, request.query), location: `${base}/Users/${id}`, change: { action: 'scim.users.create', id } };
}

async function deleteUser({ store }: ScimParts, { idp }: ScimRequest, id: string): Promise<ScimAnswer> {
  await store.change(idp, async (changes) => {
    if ((await changes.user(id)) === undefined) throw notFound();
    await changes.deleteUser(id);
  });
  return { status: 204, body: null, change: { action: 'scim.users.delete', id } };
}

/** GET, PUT, PATCH. */
async function answerUser({ store, base }: ScimParts, request: ScimRequest, id: string): Promise<ScimAnswer> {
  const { method, idp, query } = request;
  const change = changeOf(request);
  if (change !== undefined) await store.change(idp, (changes) => change(changes, id));
  else if (method !== 'GET') throw notAllowed();
  const user = await store.read(idp).user(id);
  if (user === undefined) throw notFound();
  const answer = { status: 200, body: pick(userResource(user, base), query) };
  return change === undefined ? answer : { ...answer, change: { action: method === 'PUT' ? 'scim.users.replace' : 'scim.users.update', id } };
}

function changeOf(request: ScimRequest): Change | undefined {
  if (request.method === 'PUT') return replaceUser(parseUser(bodyOf(request)));
  return request.method === 'PATCH' ? patchOfUser(parsePatch(bodyOf(request))) : undefined;
}

function replaceUser(attributes: Json): Change {
  return async (changes, id) => {
    const user = await changes.user(id);
    if (user === undefined) throw notFound();
    // Without `active`, a whole user must not activate a person.
    if (!(await changes.updateUser(id, toUser({ active: user.active, ...attributes })))) throw taken();
  };
}

function patchOfUser(operations: readonly Operation[]): Change {
  return async (changes, id) => {
    const user = await changes.user(id);
    if (user === undefined) throw notFound();
    const next = operations.reduce(patchUser, fromUser(user));
    if (!(await changes.updateUser(id, toUser(next)))) throw taken();
  };
}
