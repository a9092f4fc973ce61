// The arguments of a request beside those of earlier ones: what is usual, and what is new.
import { isObject, type JsonValue } from '../../contract/json/tree.ts';

/** One argument. Values are JSON texts. */
export interface ComparedArgument {
  /** With the keys that lead to it: `dates.from`. */
  readonly name: string;
  /** Null: the request does not give it. */
  readonly value: string | null;
  /** How many earlier requests have the same value. */
  readonly same: number;
  /** Other values of earlier requests, the most frequent first. */
  readonly others: readonly { readonly value: string; readonly count: number }[];
}

const DEEPEST = 3;
const MOST_ARGUMENTS = 100;
const MOST_OTHERS = 3;
const LONGEST_VALUE = 300;

/** The arguments of `asked` first, then those that only earlier requests give. */
export function compareArguments(asked: JsonValue, earlier: readonly JsonValue[]): readonly ComparedArgument[] {
  const now = leavesOf(asked);
  const before = earlier.map(leavesOf);
  const names = new Set([...now.keys(), ...before.flatMap((leaves) => [...leaves.keys()])]);
  return [...names].slice(0, MOST_ARGUMENTS).map((name) => {
    const value = now.get(name) ?? null;
    const counts = countsOf(before.flatMap((leaves) => leaves.get(name) ?? []));
    const others = [...counts].filter(([other]) => other !== value).toSorted(([, a], [, b]) => b - a);
    return {
      name,
      value: value === null ? null : cut(value),
      same: value === null ? 0 : (counts.get(value) ?? 0),
      others: others.slice(0, MOST_OTHERS).map(([other, count]) => ({ value: cut(other), count })),
    };
  });
}

function leavesOf(value: JsonValue): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>();
  addLeaves(leaves, [], value);
  return leaves;
}

function addLeaves(leaves: Map<string, string>, path: readonly string[], value: JsonValue): void {
  if (!isObject(value) || path.length === DEEPEST || (path.length > 0 && Object.keys(value).length === 0)) {
    if (path.length > 0) leaves.set(path.join('.'), JSON.stringify(value));
    return;
  }
  for (const [key, item] of Object.entries(value)) addLeaves(leaves, [...path, key], item);
}

function countsOf(values: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function cut(text: string): string {
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
