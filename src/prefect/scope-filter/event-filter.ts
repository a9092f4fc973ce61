// Applies a scoped principal's own filter to the visible part of events.
//
// Prefect applies the filter to whole events first, which also name hidden resources, such as the automation that created a run. The tests of a
// filter are about single resources, so a hidden resource can only add events. Lictor removes those here. It compares texts with regard to case,
// as PostgreSQL does, but negated patterns without, so that no event passes here that SQLite or PostgreSQL would reject.
import { matchesGlob } from '../../contract/glob.ts';
import { field, isBlank, isList, isObject, type JsonObject, type JsonValue, objectsIn, textsIn } from '../../contract/json/tree.ts';
import { hiddenField } from './filter-fields.ts';
import type { Refusal } from './scope-filter.ts';
import { textOf } from './scope-filter.ts';

/** `fits`: the visible part of the event matches the filter. */
export type EventFilter = { readonly ok: true; readonly fits: (event: JsonObject) => boolean } | { readonly ok: false; readonly refusal: Refusal };

const RESOURCE = ['id', 'id_prefix', 'labels', 'distinct'];

/** EventFilter of Prefect 3.9.1 (server/events/filters.py), without `text`, which also searches hidden fields. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  occurred: ['since', 'until'],
  event: ['prefix', 'exclude_prefix', 'name', 'exclude_name'],
  id: ['id'],
  order: [],
  resource: RESOURCE,
  related: ['id', 'role', 'resources_in_roles', 'labels'],
  any_resource: RESOURCE,
};

/** Lictor compares each pattern with each resource of an event. */
const MOST_PATTERNS = 200;

export function readEventFilter(filter: JsonObject): EventFilter {
  const hidden = hiddenIn(filter);
  if (hidden !== undefined) return { ok: false, refusal: hiddenField(`filter.${hidden}`) };
  const related = listOf(filter, 'related');
  const any = listOf(filter, 'any_resource');
  const patterns = [...related, ...any].flatMap(patternsOf);
  if (patterns.length > MOST_PATTERNS) return { ok: false, refusal: { code: 'scope-filter', detail: `A filter may have ${MOST_PATTERNS} patterns.` } };
  const unclear = patterns.find((pattern) => /[?[\\]/.test(pattern));
  if (unclear !== undefined) return { ok: false, refusal: { code: 'scope-filter', detail: 'A pattern of a label may have * and a leading ! alone.' } };
  return {
    ok: true,
    fits(event) {
      const others = objectsIn(field(event, 'related'));
      const all = [...objectsIn([field(event, 'resource') ?? null]), ...others];
      return related.every((each) => isAny(each, others)) && any.every((each) => isAny(each, all));
    },
  };
}

/** The first field about hidden data. With `distinct` Prefect chooses one event of a resource, which may be a hidden one. */
function hiddenIn(filter: JsonObject): string | undefined {
  for (const [key, value] of Object.entries(filter)) {
    const known = Object.hasOwn(FIELDS, key) ? FIELDS[key] : undefined;
    const parts = isList(value) ? value : [value];
    if (known === undefined && parts.some((part) => !isObject(part) && !isBlank(part))) return key;
    const name = objectsIn(parts).flatMap((part) =>
      Object.keys(part).filter((each) => !isBlank(field(part, each)) && (known?.includes(each) !== true || isDistinct(part, each))),
    )[0];
    if (name !== undefined) return `${key}.${name}`;
  }
  return undefined;
}

function isDistinct(part: JsonObject, name: string): boolean {
  return name === 'distinct' && field(part, name) !== false;
}

function isAny(asked: JsonObject, among: readonly JsonObject[]): boolean {
  const tests = TESTS.filter(([name]) => !isBlank(field(asked, name)));
  return tests.length === 0 || among.some((resource) => tests.every(([name, holds]) => holds(resource, field(asked, name) ?? null)));
}

type Holds = (resource: JsonObject, asked: JsonValue) => boolean;

const TESTS: readonly (readonly [string, Holds])[] = [
  ['id', (resource, ids) => texts(ids).includes(idOf(resource))],
  ['id_prefix', (resource, prefixes) => texts(prefixes).some((prefix) => !prefix.includes('\\') && idOf(resource).startsWith(prefix))],
  ['role', (resource, roles) => texts(roles).includes(roleOf(resource))],
  [
    'resources_in_roles',
    (resource, pairs) => isList(pairs) && pairs.some((pair) => isList(pair) && pair[0] === idOf(resource) && pair[1] === roleOf(resource)),
  ],
  ['labels', (resource, labels) => isObject(labels) && Object.entries(labels).every(([label, values]) => isLabelled(resource, label, texts(values)))],
];

function isLabelled(resource: JsonObject, label: string, patterns: readonly string[]): boolean {
  const value = label === ROLE ? roleOf(resource) : field(resource, label);
  if (typeof value !== 'string') return false;
  if (label === ROLE) return patterns.includes(value);
  return patterns.some((pattern) =>
    pattern.startsWith('!') ? !matchesGlob(pattern.slice(1).toLowerCase(), value.toLowerCase()) : matchesGlob(pattern, value),
  );
}

const ROLE = 'prefect.resource.role';

/** Empty for the resource of an event itself. */
function roleOf(resource: JsonObject): string {
  return textOf(resource, ROLE);
}

function idOf(resource: JsonObject): string {
  return textOf(resource, 'prefect.resource.id');
}

/** Prefect ANDs the filters of a list. */
function listOf(filter: JsonObject, key: string): readonly JsonObject[] {
  const value = field(filter, key) ?? [];
  return objectsIn(isList(value) ? value : [value]);
}

function patternsOf(asked: JsonObject): readonly string[] {
  const labels = field(asked, 'labels');
  return [...texts(field(asked, 'id_prefix') ?? null), ...(isObject(labels) ? Object.values(labels).flatMap(texts) : [])];
}

function texts(value: JsonValue): readonly string[] {
  if (typeof value === 'string') return [value];
  return textsIn(value);
}
