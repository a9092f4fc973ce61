// A write next to what is there: which of its fields say something new.
import { field, isBlank, isRawNumber, type JsonObject, type JsonValue, sameTree } from '../../contract/json/tree.ts';

/** True when the body sets the field to something else than it is; without an old object, to anything. */
export function changes(body: JsonObject, old: JsonObject | null, key: string): boolean {
  const value = field(body, key);
  if (value === undefined) return false;
  const before = field(old, key);
  if (isBlank(value) && isBlank(before)) return false;
  return before === undefined || !sameTree(value, before);
}

/** The named fields that the body sets to something new. */
export function changedFields(body: JsonObject, old: JsonObject | null, keys: readonly string[]): readonly JsonValue[] {
  return keys.filter((key) => changes(body, old, key)).map((key) => field(body, key) ?? null);
}

/** The body's part of these keys. */
export function pick(body: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([key]) => keys.includes(key)));
}

/** True for a body that has these keys at most, and at least one. */
export function hasOnly(body: JsonObject, keys: readonly string[]): boolean {
  const given = Object.keys(body);
  return given.length > 0 && given.every((key) => keys.includes(key));
}

/** A whole number however it was written; undefined for anything else. */
export function wholeNumber(value: JsonValue | undefined): number | undefined {
  const number = isRawNumber(value) ? Number(value.rawJSON) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
}
