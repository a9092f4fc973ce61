// PATCH (RFC 7644, 3.5.2): the operations of a message, in the forms of Okta and Entra, and their effect on a user.
import { isJson, type Json, type Kind, kindOf, readPart, readValue } from './attributes.ts';
import { invalid } from './error.ts';
import { textOf, withoutSchema } from './filter.ts';

export interface Operation {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: Path;
  /** Undefined: none, as `remove` has it. */
  readonly value: unknown;
}

/** `emails[type eq "work"].value`. */
export interface Path {
  readonly attribute: string;
  readonly filter: { readonly part: string; readonly value: string } | null;
  readonly part: string | null;
}

const PATCH_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const LIMITS = { operations: 1000, characters: 1024 } as const;
const OPS = ['add', 'replace', 'remove'] as const;
const PATH = /^([A-Za-z][\w-]*)(?:\[\s*([A-Za-z]+)\s+eq\s+("(?:[^"\\]|\\.)*"|true|false)\s*\])?(?:\.([A-Za-z$]+))?$/i;
const EXTENSION = /^urn:ietf:params:scim:schemas:extension:/i;

/** An operation without a path becomes one for each attribute of its value. */
export function parsePatch(body: Json): readonly Operation[] {
  const { schemas } = body;
  if (!Array.isArray(schemas) || !schemas.includes(PATCH_SCHEMA)) throw invalid('invalidSyntax', `schemas must have ${PATCH_SCHEMA}.`);
  const operations = Object.entries(body).find(([key]) => key.toLowerCase() === 'operations')?.[1];
  if (!Array.isArray(operations) || operations.length === 0 || operations.length > LIMITS.operations)
    throw invalid('invalidSyntax', `Operations must be a list of 1 to ${LIMITS.operations} operations.`);
  return operations.flatMap(parseOperation);
}

function parseOperation(given: unknown): readonly Operation[] {
  if (!isJson(given)) throw invalid('invalidSyntax', 'An operation must be an object.');
  const op = OPS.find((known) => known === String(given['op']).toLowerCase());
  if (op === undefined) throw invalid('invalidSyntax', 'op must be add, replace or remove.');
  const { path, value } = given;
  if (path !== undefined && path !== null) {
    if (op !== 'remove' && value === undefined) throw invalid('invalidValue', 'The operation has no value.');
    return [{ op, path: parsePath(path), value }];
  }
  if (op === 'remove') throw invalid('noTarget', 'remove needs a path.');
  if (!isJson(value)) throw invalid('invalidValue', 'Without a path, the value must be an object.');
  return Object.entries(value).map(([key, part]) => ({ op, path: parsePath(key), value: part }));
}

function parsePath(path: unknown): Path {
  if (typeof path !== 'string' || path.length > LIMITS.characters) throw invalid('invalidPath', 'A path must be a text.');
  if (EXTENSION.test(path)) return { attribute: path, filter: null, part: null };
  const [whole, attribute = '', filterPart, literal = '', part = null] = PATH.exec(withoutSchema(path)) ?? [];
  if (whole === undefined) throw invalid('invalidPath', 'The path is not of the form ATTRIBUTE[PART eq "VALUE"].PART.');
  return { attribute, filter: filterPart === undefined ? null : { part: filterPart, value: textOf(literal) }, part };
}

/** The attributes of the user after the operation, by their names in answers. */
export function patchUser(user: Json, { op, path, value }: Operation): Json {
  const kind = kindOf(path.attribute);
  if (kind === undefined) return user;
  const { [kind.name]: before, ...others } = user;
  const part = partOf(kind, path.part);
  if (kind.multiValued === true) {
    const list = patchList(Array.isArray(before) ? before : [], { op, path, value, part, read: (one) => readValue(kind, one) });
    return list.length === 0 ? others : { ...others, [kind.name]: list };
  }
  if (path.filter !== null) throw invalid('invalidPath', `${kind.name} has one value, and no filter.`);
  const next = part === null ? patchWhole(kind, before, { op, value }) : withPart(isJson(before) ? before : {}, part, op === 'remove' ? undefined : value);
  return next === undefined || (isJson(next) && Object.keys(next).length === 0) ? others : { ...others, [kind.name]: next };
}

/** Undefined: the user no longer has the attribute. */
function patchWhole(kind: Kind, before: unknown, { op, value }: Pick<Operation, 'op' | 'value'>): unknown {
  if (op === 'remove' || value === null) return undefined;
  const read = readValue(kind, value);
  return op === 'add' && isJson(read) && isJson(before) ? { ...before, ...read } : read;
}

function partOf({ name, parts }: Kind, part: string | null): string | null {
  if (part === null) return null;
  const known = parts?.[part.toLowerCase()];
  if (known === undefined) throw invalid('invalidPath', `${name} has no such part.`);
  return known;
}

interface OnList extends Operation {
  readonly part: string | null;
  readonly read: (value: unknown) => unknown;
}

function patchList(before: readonly unknown[], { op, path: { filter }, value, part, read }: OnList): readonly unknown[] {
  const items = before.filter(isJson);
  const fits = (item: Json): boolean => filter === null || matchesPart(item, filter);
  if (part === null && op === 'remove') return items.filter((item) => !(fits(item) && isNamed(item, value)));
  if (part === null) {
    const read_ = read(value);
    const given = Array.isArray(read_) ? read_ : [];
    const stays = op === 'add' ? items : items.filter((item) => filter !== null && !fits(item));
    return [...stays.filter((item) => !given.some((one) => isSame(item, one))), ...given];
  }
  if (items.some(fits)) return items.map((item) => (fits(item) ? withPart(item, part, op === 'remove' ? undefined : value) : item));
  if (op === 'remove') return items;
  return [...items, withPart(filter === null ? {} : { [filter.part]: filter.value }, part, value)];
}

function matchesPart(item: Json, { part, value }: NonNullable<Path['filter']>): boolean {
  const found = Object.entries(item).find(([key]) => key.toLowerCase() === part.toLowerCase());
  return String(found?.[1]).toLowerCase() === value.toLowerCase();
}

/** `remove` with values removes these alone. */
function isNamed(item: Json, value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return [value].flat().some((one) => isJson(one) && one['value'] === item['value']);
}

function isSame(item: Json, other: unknown): boolean {
  return isJson(other) && item['value'] === other['value'] && item['type'] === other['type'];
}

function withPart(item: Json, part: string, value: unknown): Json {
  const { [part]: _, ...others } = item;
  return value === undefined || value === null ? others : { ...others, [part]: readPart(part, value) };
}
