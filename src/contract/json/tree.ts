// A parsed body as a tree, and the few questions that the families ask of it. Trees are never changed in place.

/** A number with its text, by JSON.rawJSON. It is rendered as it was written. */
export interface RawNumber {
  readonly rawJSON: string;
}

export type JsonObject = { readonly [key: string]: JsonValue };
export type JsonValue = null | boolean | string | number | RawNumber | readonly JsonValue[] | JsonObject;

/** What Node 24 has and the compiler's library does not know yet. */
interface JsonWithSource {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
}
const json = JSON as unknown as JsonWithSource;

export function rawNumber(source: string): RawNumber {
  return json.rawJSON(source);
}

export function isRawNumber(value: unknown): value is RawNumber {
  return json.isRawJSON(value);
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
}

export function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** The value of an own key; `__proto__` and `constructor` are keys like any other. What is no object has no fields. */
export function field(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** The objects of a list, without its other items. */
export function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return isList(value) ? value.filter(isObject) : [];
}

/** The texts of a list, without its other items. */
export function textsIn(value: JsonValue | undefined): readonly string[] {
  return isList(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** A field that is absent, null, or an empty object, list or text asks for nothing. */
export function isBlank(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (isList(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

/** True for text, number and boolean. */
export function isScalar(value: JsonValue): boolean {
  return value !== null && (typeof value !== 'object' || isRawNumber(value));
}

/** Equal as JSON: the order of keys does not count, the text of numbers does. */
export function sameTree(left: JsonValue, right: JsonValue): boolean {
  if (isList(left) && isList(right)) return left.length === right.length && left.every((item, index) => sameTree(item, right[index] ?? null));
  if (isObject(left) && isObject(right)) {
    const keys = Object.keys(left);
    return keys.length === Object.keys(right).length && keys.every((key) => Object.hasOwn(right, key) && sameTree(left[key] ?? null, right[key] ?? null));
  }
  return JSON.stringify(left) === JSON.stringify(right);
}

/** The object without the keys that `drop` names; the others stay in the order of the text. */
export function withoutKeys(object: JsonObject, drop: (key: string) => boolean): JsonObject {
  const rest: Record<string, JsonValue> = { ...object };
  for (const key of Object.keys(rest)) if (drop(key)) delete rest[key];
  return rest;
}

/**
 * Every value of the tree, the tree itself among them, and every key of its objects: one walk without a copy, since bodies are large.
 * `false` from `visit` ends the walk.
 */
export function walk(tree: JsonValue | undefined, visit: (value: JsonValue, isKey: boolean) => boolean | undefined): boolean {
  if (tree === undefined) return true;
  if (visit(tree, false) === false) return false;
  if (isList(tree)) return tree.every((item) => walk(item, visit));
  if (!isObject(tree)) return true;
  for (const key of Object.keys(tree)) if (visit(key, true) === false || !walk(tree[key], visit)) return false;
  return true;
}
