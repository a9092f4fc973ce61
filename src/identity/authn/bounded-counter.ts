// Counts per key in windows of time, in bounded memory: the least recently used key is evicted first.
import type { Clock } from '../../contract/clock.ts';

export interface BoundedCounter {
  /** Adds one. Returns the count within the key's window, which starts with its first. */
  add(key: string): number;
  /** Subtracts one. A key without a count is removed, so that it evicts no other key. */
  undo(key: string): void;
  clear(key: string): void;
  count(key: string): number;
  /** Milliseconds until the key's window ends; 0 when there is none. */
  leftMs(key: string): number;
  readonly size: number;
}

export interface BoundedCounterLimits {
  readonly windowMs: number;
  readonly keys: number;
}

/** `steady`: by the wall clock, a window would last longer after the clock was put back. */
export function createBoundedCounter(steady: Clock, limits: BoundedCounterLimits): BoundedCounter {
  const windows = new Map<string, { count: number; readonly startMs: number }>();
  const current = (key: string) => {
    const found = windows.get(key);
    return found !== undefined && steady() - found.startMs < limits.windowMs ? found : undefined;
  };
  return {
    add(key) {
      const found = current(key) ?? { count: 0, startMs: steady() };
      found.count += 1;
      windows.delete(key);
      windows.set(key, found);
      for (const oldest of windows.keys()) {
        if (windows.size <= limits.keys) break;
        windows.delete(oldest);
      }
      return found.count;
    },
    undo(key) {
      const found = current(key);
      if (found !== undefined && found.count > 1) found.count -= 1;
      else windows.delete(key);
    },
    clear: (key) => void windows.delete(key),
    count: (key) => current(key)?.count ?? 0,
    leftMs: (key) => {
      const found = current(key);
      return found === undefined ? 0 : found.startMs + limits.windowMs - steady();
    },
    get size() {
      return windows.size;
    },
  };
}
