// The number of open streams, of one principal and of all.

export interface Streams {
  /** Call the result when the stream has ended. Undefined: too many are open. */
  take(principal: string): (() => void) | undefined;
}

/** A console with some tabs. */
const MOST_OF_ONE = 6;
const MOST = 60;

export function createStreams({ ofOne = MOST_OF_ONE, ofAll = MOST } = {}): Streams {
  const open = new Map<string, number>();
  let all = 0;
  const add = (principal: string, change: 1 | -1): void => {
    all += change;
    const count = (open.get(principal) ?? 0) + change;
    if (count === 0) open.delete(principal);
    else open.set(principal, count);
  };
  return {
    take(principal) {
      if (all >= ofAll || (open.get(principal) ?? 0) >= ofOne) return undefined;
      add(principal, 1);
      return () => add(principal, -1);
    },
  };
}
