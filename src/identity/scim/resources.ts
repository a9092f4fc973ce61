// Users and groups between the store and the JSON of SCIM.
import type { ScimGroup, ScimUser, Times } from '../../store/scim.ts';
import { isJson, type Json, kindOf, readText, readValue } from './attributes.ts';
import { invalid } from './error.ts';
import { GROUP_SCHEMA, USER_SCHEMA } from './schemas.ts';

const EXTENSION = /^urn:ietf:params:scim:schemas:extension:/;

/** The attributes of a whole user (POST, PUT), by their names in answers. */
export function parseUser(body: Json): Json {
  requireSchema(body, USER_SCHEMA);
  const read: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(body)) {
    const kind = value === null || isUnknown(key) ? undefined : kindOf(key);
    if (kind !== undefined) read[kind.name] = readValue(kind, value);
  }
  return read;
}

/** A whole user may have attributes that Lictor does not know. A path of PATCH may not name them. */
function isUnknown(key: string): boolean {
  try {
    kindOf(key);
    return false;
  } catch {
    return true;
  }
}

export function toUser({ userName, externalId, active, ...others }: Json): ScimUser {
  return {
    userName: readText('userName', userName),
    externalId: typeof externalId === 'string' ? externalId : null,
    active: typeof active === 'boolean' ? active : null,
    attributes: others,
  };
}

export function fromUser({ userName, externalId, active, attributes }: ScimUser): Json {
  return { userName, ...(externalId !== null && { externalId }), ...(active !== null && { active }), ...attributes };
}

export function userResource(user: ScimUser & Times, base: string): Json {
  return { schemas: [USER_SCHEMA], id: user.id, ...fromUser(user), meta: metaOf('User', user, base) };
}

export interface GroupBody {
  readonly group: ScimGroup;
  /** Ids of users. */
  readonly members: readonly string[];
}

export function parseGroup(body: Json): GroupBody {
  requireSchema(body, GROUP_SCHEMA);
  const given = new Map(Object.entries(body).map(([key, value]) => [key.toLowerCase(), value]));
  const externalId = given.get('externalid') ?? null;
  return {
    group: { displayName: readText('displayName', given.get('displayname')), externalId: externalId === null ? null : readText('externalId', externalId) },
    members: readMembers(given.get('members') ?? []),
  };
}

/** One member or a list. */
export function readMembers(value: unknown): readonly string[] {
  return [value].flat().map((member) => readText('value of a member', isJson(member) ? member['value'] : undefined));
}

/** `members` undefined: they were not asked for. */
export function groupResource(group: ScimGroup & Times, members: readonly string[] | undefined, base: string): Json {
  const { id, displayName, externalId } = group;
  const list = members?.map((value) => ({ value, $ref: `${base}/Users/${value}`, type: 'User' }));
  const shown = list === undefined || list.length === 0 ? {} : { members: list };
  return { schemas: [GROUP_SCHEMA], id, displayName, ...(externalId !== null && { externalId }), ...shown, meta: metaOf('Group', group, base) };
}

function metaOf(resourceType: 'User' | 'Group', { id, createdMs, modifiedMs }: Times, base: string): Json {
  const [created, lastModified] = [new Date(createdMs).toISOString(), new Date(modifiedMs).toISOString()];
  return { resourceType, created, lastModified, location: `${base}/${resourceType}s/${id}` };
}

function requireSchema({ schemas }: Json, schema: string): void {
  const list: readonly unknown[] = Array.isArray(schemas) ? schemas : [];
  if (!list.includes(schema)) throw invalid('invalidSyntax', `schemas must have ${schema}.`);
  if (!list.every((one) => one === schema || (typeof one === 'string' && EXTENSION.test(one))))
    throw invalid('invalidSyntax', 'schemas has an unknown schema.');
}
