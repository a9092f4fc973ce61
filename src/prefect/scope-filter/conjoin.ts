// Joins a client's filter with one of ours so that both hold, in Prefect's own filter language (server/schemas/filters.py).
//
// Its filters have no nesting: a filter is a row of criteria that `operator` joins, and a criterion has each test once. What cannot be
// said in it is said to be so; nothing is ever widened.
import { field, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';

/** By field: one of these values. `tags` are lists themselves: one of them must be among these. */
export type Criteria = Readonly<Record<string, readonly string[]>>;

export type Conjoined = { readonly ok: true; readonly filter: JsonObject } | { readonly ok: false; readonly detail: string };

/** `client` undefined or null: it asks for everything. */
export function conjoin(client: JsonValue | undefined, criteria: Criteria): Conjoined {
  if (client !== undefined && client !== null && !isObject(client)) return refuse('A filter must be an object.');
  const flat = withoutOperator(client ?? {});
  if (flat === undefined) return refuse("A filter with operator or_ and several criteria cannot be joined with the role's scope.");
  let filter = flat;
  for (const [name, values] of Object.entries(criteria)) {
    const criterion = name === 'tags' ? joinTags(field(filter, name), values) : joinValues(field(filter, name), values);
    if (typeof criterion === 'string') return refuse(criterion);
    filter = { ...filter, [name]: criterion };
  }
  return { ok: true, filter };
}

function refuse(detail: string): Conjoined {
  return { ok: false, detail };
}

/** The same filter, joined by and; undefined when it says something else. One criterion alone is the same either way. */
function withoutOperator(filter: JsonObject): JsonObject | undefined {
  const operator = field(filter, 'operator');
  const { operator: _, ...criteria } = filter;
  const count = Object.values(criteria).filter((criterion) => criterion !== null).length;
  return operator === undefined || operator === 'and_' || count <= 1 ? criteria : undefined;
}

const TEXT_LISTS = 'any_ must be a list of texts.';

/** A column has one value: both lists hold where they overlap. */
function joinValues(client: JsonValue | undefined, values: readonly string[]): JsonObject | string {
  const criterion = opened(client);
  if (typeof criterion === 'string') return criterion;
  const own = field(criterion, 'any_') ?? null;
  if (own === null) return { ...criterion, any_: [...values] };
  const texts = textsOf(own);
  if (texts === undefined) return TEXT_LISTS;
  const wanted = new Set(texts.map(comparable));
  return { ...criterion, any_: values.filter((value) => wanted.has(comparable(value))) };
}

/** A row of tags: `all_` and `any_` are two tests, so ours goes where the client has none, or is one tag of `all_`. */
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

/** Prefect takes UUIDs in several spellings. */
function comparable(text: string): string {
  return parseUuid(text) ?? text;
}
