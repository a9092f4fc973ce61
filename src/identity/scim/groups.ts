// /Groups of SCIM.
import type { ScimChanges } from '../../store/scim.ts';
import { type Json, readText } from './attributes.ts';
import { invalid, notFound } from './error.ts';
import { parseFilter } from './filter.ts';
import { type Operation, parsePatch } from './patch.ts';
import {
  bodyOf,
  type Change,
  listAnswer,
  noMember,
  notAllowed,
  pageOf,
  pick,
  required,
  type ScimAnswer,
  type ScimParts,
  type ScimRequest,
  taken,
  wantsMembers,
} from './request.ts';
import { groupResource, parseGroup, readMembers } from './resources.ts';

/** Members in one page of groups. */
const MOST_MEMBERS = 20_000;

/** `id` undefined: all groups. */
export async function answerGroups(parts: ScimParts, request: ScimRequest, id: string | undefined): Promise<ScimAnswer> {
  const { store, base } = parts;
  const { method, idp, query } = request;
  if (id === undefined) {
    if (method === 'GET') return await listGroups(parts, request);
    if (method !== 'POST') throw notAllowed();
    const { group, members } = parseGroup(bodyOf(request));
    const created = await store.change(idp, async (changes) => {
      const made = required(await changes.createGroup(group));
      if (!(await changes.addMembers(made, members))) throw noMember();
      return made;
    });
    const resource = await readGroup(parts, request, created);
    return { status: 201, body: pick(resource, query), location: `${base}/Groups/${created}`, change: { action: 'scim.groups.create', id: created } };
  }
  if (method === 'GET') return { status: 200, body: pick(await readGroup(parts, request, id), query) };
  if (method === 'DELETE') {
    await store.change(idp, async (changes) => {
      if ((await changes.group(id)) === undefined) throw notFound();
      await changes.deleteGroup(id);
    });
    return { status: 204, body: null, change: { action: 'scim.groups.delete', id } };
  }
  if (method !== 'PUT' && method !== 'PATCH') throw notAllowed();
  const change = method === 'PUT' ? replaceGroup(bodyOf(request)) : patchGroup(parsePatch(bodyOf(request)));
  await store.change(idp, (changes) => change(changes, id));
  if (method === 'PUT') return { status: 200, body: pick(await readGroup(parts, request, id), query), change: { action: 'scim.groups.replace', id } };
  // Not the group: it may have thousands of members (RFC 7644, 3.5.2).
  return { status: 204, body: null, change: { action: 'scim.groups.update', id } };
}

async function listGroups({ store, base }: ScimParts, { idp, query }: ScimRequest): Promise<ScimAnswer> {
  const read = store.read(idp);
  const { startIndex, most } = pageOf(query);
  const page = await read.groups({ equals: parseFilter(query.get('filter') ?? undefined, 'displayname'), offset: startIndex - 1, most });
  const resources: Json[] = [];
  let shown = 0;
  for (const group of page.resources) {
    shown += wantsMembers(query) ? await read.countMembers(group.id) : 0;
    // A shorter page: the client asks for the rest by the next startIndex.
    if (shown > MOST_MEMBERS && resources.length > 0) break;
    resources.push(pick(groupResource(group, wantsMembers(query) ? await read.members(group.id) : undefined, base), query));
  }
  return listAnswer(resources, { total: page.total, startIndex });
}

async function readGroup({ store, base }: ScimParts, { idp, query }: ScimRequest, id: string): Promise<Json> {
  const read = store.read(idp);
  const group = await read.group(id);
  if (group === undefined) throw notFound();
  return groupResource(group, wantsMembers(query) ? await read.members(id) : undefined, base);
}

function replaceGroup(body: Json): Change {
  const { group, members } = parseGroup(body);
  return async (changes, id) => {
    if ((await changes.group(id)) === undefined) throw notFound();
    if (!(await changes.updateGroup(id, group))) throw taken();
    await changes.removeMembers(id, null);
    if (!(await changes.addMembers(id, members))) throw noMember();
  };
}

function patchGroup(operations: readonly Operation[]): Change {
  return async (changes, id) => {
    for (const operation of operations) await patchGroupBy(changes, id, operation);
  };
}

async function patchGroupBy(changes: ScimChanges, id: string, { op, path, value }: Operation): Promise<void> {
  const group = await changes.group(id);
  if (group === undefined) throw notFound();
  const attribute = path.attribute.toLowerCase();
  if (attribute === 'members') return await patchMembers(changes, id, { op, path, value });
  if (attribute === 'id' || attribute === 'schemas' || attribute === 'meta') return;
  if (path.filter !== null || path.part !== null || (attribute !== 'displayname' && attribute !== 'externalid'))
    throw invalid('invalidPath', 'A group has no such attribute.');
  const isGone = op === 'remove' || value === null;
  if (attribute === 'displayname' && isGone) throw invalid('mutability', 'A group needs its displayName.');
  const name = attribute === 'displayname' ? 'displayName' : 'externalId';
  const next = { ...group, [name]: isGone ? null : readText(name, value) };
  if (!(await changes.updateGroup(id, next))) throw taken();
}

async function patchMembers(changes: ScimChanges, id: string, { op, path: { filter, part }, value }: Operation): Promise<void> {
  if (part !== null || (filter !== null && (op !== 'remove' || filter.part.toLowerCase() !== 'value')))
    throw invalid('invalidPath', 'Members have the path members, or members[value eq "ID"] to remove one.');
  if (filter !== null) return await changes.removeMembers(id, [filter.value]);
  if (op === 'remove') return await changes.removeMembers(id, value === undefined || value === null ? null : readMembers(value));
  if (op === 'replace') await changes.removeMembers(id, null);
  if (!(await changes.addMembers(id, readMembers(value)))) throw noMember();
}
