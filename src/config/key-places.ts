// Finds the places of a key in the data of lictor.yaml.
import { isRecord } from './expand.ts';
import type { Keys } from './report.ts';

/** `at`: keys from the root; `*` is any index of a list. */
export function visitKeys(data: unknown, at: readonly string[], onValue: (keys: Keys, value: unknown) => void): void {
  visit(data, []);

  function visit(value: unknown, keys: Keys): void {
    const next = at[keys.length];
    if (next === undefined) onValue(keys, value);
    else if (next === '*') {
      if (Array.isArray(value)) for (const [index, item] of value.entries()) visit(item, [...keys, index]);
    } else if (isRecord(value) && Object.hasOwn(value, next)) visit(value[next], [...keys, next]);
  }
}
