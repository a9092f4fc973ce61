// Collects the problems of a file. Only the first one for a place counts, so that Lictor reports one mistake once.
import { type Problem, problemPath } from './problem.ts';

export type Keys = readonly PropertyKey[];

/** `keys` lead to the value in the file. */
export type Report = (keys: Keys, message: string, remedy: string) => void;

export interface ProblemList {
  readonly report: Report;
  /** True if there is a problem at the place, above it or below it. */
  concerns(keys: Keys): boolean;
  /** The places of the problems. */
  places(): readonly Keys[];
  /** In the order of the file. */
  all(): readonly Problem[];
}

/** `lineOf` answers undefined if the line is unknown. */
export function createProblemList(lineOf: (keys: Keys) => number | undefined): ProblemList {
  const found: { keys: Keys; problem: Problem }[] = [];
  return {
    report(keys, message, remedy) {
      if (found.some((other) => startsWith(keys, other.keys))) return;
      const line = lineOf(keys);
      found.push({ keys, problem: { path: problemPath(keys), message, remedy, ...(line === undefined ? {} : { line }) } });
    },
    concerns: (keys) => found.some((other) => startsWith(keys, other.keys) || startsWith(other.keys, keys)),
    places: () => found.map(({ keys }) => keys),
    all: () => found.map(({ problem }) => problem).toSorted((left, right) => (left.line ?? 0) - (right.line ?? 0)),
  };
}

function startsWith(keys: Keys, head: Keys): boolean {
  return head.length <= keys.length && head.every((key, index) => keys[index] === key);
}
