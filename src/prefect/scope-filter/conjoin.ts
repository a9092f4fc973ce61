// ANDs a client's filter with one of Lictor's, in Prefect's own filter language (server/schemas/filters.py).
//
// Its filters have no nesting: `operator` joins the criteria of a filter, and a criterion has each test once. Lictor refuses a conjunction that
// this language cannot express, and never widens a filter.
import { field, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';

/** The name of the test that the object has all of these tags. */
export const ALL_TAGS = 'all_tags';

/** For each field its permitted values. For `tags`, one tag of the object must be among them; for `ALL_TAGS`, it must have each. */
export type Criteria = Readonly<Record<string, readonly string[]>>;

export type Conjoined = { readonly ok: true; readonly filter: JsonObject } | { readonly ok: false; readonly detail: string };

/** `client` undefined or null: no filter. */
export function conjoin(client: JsonValue | undefined, criteria: Criteria): Conjoined {
  if (client !== undefined && client !== null && !isObject(client)) return refuse('A filter must be an object.');
  const flat = withoutOperator(client ?? {});
  if (flat === undefined) return refuse("A filter with operator or_ and several criteria cannot be joined with the role's scope.");
  let filter = flat;
  for (const [name, values] of Object.entries(criteria)) {
    const key = name === ALL_TAGS ? 'tags' : name;
    const criterion = JOINS[name]?.(field(filter, key), values) ?? joinValues(field(filter, key), values);
    if (typeof criterion === 'string') return refuse(criterion);
    filter = { ...filter, [key]: criterion };
  }
  return { ok: true, filter };
}

function refuse(detail: string): Conjoined {
  return { ok: false, detail };
}

/** The same filter with AND; undefined when it means something else. The operator has no effect on a single criterion. */
function withoutOperator(filter: JsonObject): JsonObject | undefined {
  const operator = field(filter, 'operator');
  const { operator: _, ...criteria } = filter;
  const count = Object.values(criteria).filter((criterion) => criterion !== null).length;
  return operator === undefined || operator === 'and_' || count <= 1 ? criteria : undefined;
}

const TEXT_LISTS = 'any_ must be a list of texts.';

/** A column has one value, so the conjunction is the intersection of both lists. */
function joinValues(client: JsonValue | undefined, values: readonly string[]): JsonObject | string {
  const criterion = opened(client);
  if (typeof criterion === 'string') return criterion;
  const own = field(criterion, 'any_') ?? null;
  if (own === null) return { ...criterion, any_: [...values] };
  const texts = textsOf(own);
  if (texts === undefined) return TEXT_LISTS;
  const named = new Set(texts.map(comparable));
  return { ...criterion, any_: values.filter((value) => named.has(comparable(value))) };
}

/** `all_` and `any_` are two tests: Lictor adds the one that the client does not use, or a single tag to `all_`. */
function joinTags(client: JsonValue | undefined, values: readonly string[]): JsonObject | string {
  const criterion = opened(client);
  if (typeof criterion === 'string') return criterion;
  const own = field(criterion, 'any_') ?? null;
  if (own === null) return { ...criterion, any_: [...values] };
  const texts = textsOf(own);
  const all = textsOf(field(criterion, 'all_') ?? []);
  if (texts === undefined || all === undefined) return TEXT_LISTS;
  if (texts.every((tag) => values.includes(tag)) || all.some((tag) => values.includes(tag))) return criterion;
  const [only, ...more] = values;
  if (only !== undefined && more.length === 0) return { ...criterion, all_: [...all, only] };
  return "tags.any_ cannot be joined with the several tags of the role's scope.";
}

function joinAllTags(client: JsonValue | undefined, values: readonly string[]): JsonObject | string {
  const criterion = opened(client);
  if (typeof criterion === 'string') return criterion;
  const all = textsOf(field(criterion, 'all_') ?? []);
  return all === undefined ? 'all_ must be a list of texts.' : { ...criterion, all_: [...new Set([...all, ...values])] };
}

const JOINS: Readonly<Record<string, typeof joinTags>> = { tags: joinTags, [ALL_TAGS]: joinAllTags };

function opened(client: JsonValue | undefined): JsonObject | string {
  if (client === undefined || client === null) return {};
  if (!isObject(client)) return 'A criterion must be an object.';
  return withoutOperator(client) ?? "A criterion with operator or_ and several tests cannot be joined with the role's scope.";
}

function textsOf(value: JsonValue): readonly string[] | undefined {
  if (!isList(value)) return undefined;
  const texts = value.filter((item) => typeof item === 'string');
  return texts.length === value.length ? texts : undefined;
}

/** Prefect accepts several spellings of a UUID. */
function comparable(text: string): string {
  return parseUuid(text) ?? text;
}
