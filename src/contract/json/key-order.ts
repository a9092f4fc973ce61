// The order of keys that JavaScript would sort (`"1"` before `"0"`), beside the object: it goes on into copies that are made by spreading.
import { isList, isObject, type JsonObject, type JsonValue } from './tree.ts';

const ORDER = Symbol('order of keys');

export function withOrder(object: JsonObject, keys: readonly string[]): JsonObject {
  return Object.assign(object, { [ORDER]: keys });
}

/** Undefined: JavaScript's own order is that of the text. Keys that came later are last. */
export function orderOf(object: JsonObject): readonly string[] | undefined {
  const order: unknown = Reflect.get(object, ORDER);
  if (!Array.isArray(order)) return undefined;
  // As it was read: the rule.
  const keys = Object.keys(object);
  if (keys.length === order.length && order.every((key) => Object.hasOwn(object, key))) return order;
  return [...new Set([...order.filter((key): key is string => typeof key === 'string' && Object.hasOwn(object, key)), ...keys])];
}

/** True if the order of an object in the tree differs from JavaScript's order. */
export function hasOrder(tree: JsonValue): boolean {
  if (isList(tree)) return tree.some(hasOrder);
  if (!isObject(tree)) return false;
  if (Object.hasOwn(tree, ORDER)) return true;
  for (const key in tree) if (hasOrder(tree[key] ?? null)) return true;
  return false;
}
