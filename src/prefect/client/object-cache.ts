// Caches Prefect's objects for decisions on the direct path. Prefect reports few changes, so the cache time is short.
import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../contract/cache-limit.ts';
import type { Clock } from '../../contract/clock.ts';
import type { JsonValue } from '../../contract/json/tree.ts';
import type { Lookup } from './lookup.ts';

export interface ObjectCache {
  readonly lookup: Lookup;
  /** To be called after a change through the gateway. */
  forget(): void;
}

/** Lictor sees a change that bypassed the gateway after this time and the two seconds of the decision cache. */
const LIFE_MS = 5_000;
/** After this time Lictor renews an object in use in the background, so that no request waits for it. */
const RENEWED_AFTER_MS = 2_500;
/** Some 10 MiB of runs and deployments. */
const MOST = 2_000;

interface Entry {
  readonly answer: Promise<JsonValue | null>;
  /** When Prefect was asked. */
  readonly askedMs: number;
  isRenewed: boolean;
}

/** Asks the same question once within the time. It caches neither absent objects nor failures. */
export function createObjectCache(lookup: Lookup, steady: Clock): ObjectCache {
  const known = new LRUCache<string, Entry>(atMostEntries(MOST));

  const ask = (key: string, path: string, filter: Parameters<Lookup>[1]): Promise<JsonValue | null> => {
    const entry: Entry = { answer: lookup(path, filter), askedMs: steady(), isRenewed: false };
    known.set(key, entry);
    const drop = (): void => void (known.get(key) === entry && known.delete(key));
    entry.answer.then((value) => value === null && drop(), drop);
    return entry.answer;
  };

  /** The old answer is used until its end, unless the object no longer exists. A renewal adds nothing that `forget` has removed. */
  const renew = (key: string, before: Entry, path: string, filter: Parameters<Lookup>[1]): void => {
    before.isRenewed = true;
    const entry: Entry = { answer: lookup(path, filter), askedMs: steady(), isRenewed: false };
    entry.answer.then(
      (value) => {
        if (known.get(key) !== before) return;
        if (value === null) known.delete(key);
        else known.set(key, entry);
      },
      () => undefined, // Prefect does not answer: a request after the end of the old answer gets the error
    );
  };

  return {
    lookup(path, filter) {
      const key = filter === undefined ? path : `${path} ${JSON.stringify(filter)}`;
      const found = known.get(key);
      const age = found === undefined ? Number.POSITIVE_INFINITY : steady() - found.askedMs;
      if (found === undefined || age >= LIFE_MS) return ask(key, path, filter);
      if (age >= RENEWED_AFTER_MS && !found.isRenewed) renew(key, found, path, filter);
      return found.answer;
    },
    forget: () => known.clear(),
  };
}
