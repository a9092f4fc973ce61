// Rows of a Postgres store that only change together with the change number: a node reads them again when the number has changed.
//
// Every decision reads the number first, so a row is at least as new as the number that the decision has seen. A row that was read under an earlier
// number is never used, also when two answers of Postgres overtake each other.
import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../contract/cache-limit.ts';

export interface Remembered {
  /** The answer of `read`, or the same answer from before. Undefined answers are not stored: a new row does not raise the number. */
  of<T extends object>(key: string, read: () => Promise<T | undefined>): Promise<T | undefined>;
  /** The next `of` with this key reads again. */
  drop(key: string): void;
  /** The change number, each time that it was read. Until then nothing is stored. */
  seen(number: number): void;
  /** After a change by this process, and after a failure: another server may answer then, with the same number and other rows. */
  forget(): void;
}

const MOST = 20_000;
/** Bounds what an administrator changes with SQL, and the age of "last used". */
const LONGEST_MS = 60_000;

export function createRemembered(): Remembered {
  const rows = new LRUCache<string, object>({ ...atMostEntries(MOST), ttl: LONGEST_MS });
  let number: number | undefined;
  /** A read that began in an earlier one may be older than the number of now. */
  let period = 0;
  const forget = (): void => {
    rows.clear();
    period += 1;
  };
  return {
    async of<T extends object>(key: string, read: () => Promise<T | undefined>) {
      const stored = rows.get(key);
      // Only the same reader stores under its key.
      if (stored !== undefined) return stored as T;
      const began = period;
      const row = await read();
      if (row !== undefined && number !== undefined && began === period) rows.set(key, row);
      return row;
    },
    drop: (key) => void rows.delete(key),
    seen(read) {
      if (read !== number) forget();
      number = read;
    },
    forget,
  };
}

/** `of` of the database, or each time a read. */
export function rememberedBy({ remembered }: { readonly remembered?: Remembered }): Remembered['of'] {
  return remembered?.of ?? ((_key, read) => read());
}
