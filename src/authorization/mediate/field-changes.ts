// Compares the fields of a write with the existing object.
import { field, isBlank, isRawNumber, type JsonObject, type JsonValue, sameTree } from '../../contract/json/tree.ts';

/** True when the body changes the field. Without an existing object, every value is a change. */
export function changes(body: JsonObject, old: JsonObject | null, key: string): boolean {
  const value = field(body, key);
  if (value === undefined) return false;
  const before = field(old, key);
  if (isBlank(value) && isBlank(before)) return false;
  return before === undefined || !sameTree(value, before);
}

/** The values of the named fields that the body changes. */
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

/** An integer in any notation; undefined for anything else. */
export function wholeNumber(value: JsonValue | undefined): number | undefined {
  const number = isRawNumber(value) ? Number(value.rawJSON) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
}
