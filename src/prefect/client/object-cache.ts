// What Prefect said about its objects a moment ago: for decisions on the direct path. Prefect tells nobody of most changes, so it is short.
import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../contract/cache-limit.ts';
import type { Clock } from '../../contract/clock.ts';
import type { JsonValue } from '../../contract/json/tree.ts';
import type { Lookup } from './lookup.ts';

export interface ObjectCache {
  readonly lookup: Lookup;
  /** After something was changed through the gateway. */
  forget(): void;
}

/** Lictor sees a change that bypassed the gateway after this time and the two seconds of the decision cache. */
const LIFE_MS = 5_000;
/** What is still asked for then is asked of Prefect again meanwhile, so that nobody waits for it. */
const RENEWED_AFTER_MS = 2_500;
/** Some 10 MiB of runs and deployments. */
const MOST = 2_000;

interface Entry {
  readonly answer: Promise<JsonValue | null>;
  /** When Prefect was asked. */
  readonly askedMs: number;
  isRenewed: boolean;
}

/** Answers of the same question within the time are one. What is not there, and what failed, is asked again. */
export function createObjectCache(lookup: Lookup, steady: Clock): ObjectCache {
  const known = new LRUCache<string, Entry>(atMostEntries(MOST));

  const ask = (key: string, path: string, filter: Parameters<Lookup>[1]): Promise<JsonValue | null> => {
    const entry: Entry = { answer: lookup(path, filter), askedMs: steady(), isRenewed: false };
    known.set(key, entry);
    const drop = (): void => void (known.get(key) === entry && known.delete(key));
    entry.answer.then((value) => value === null && drop(), drop);
    return entry.answer;
  };

  /** The one before answers until its own end, unless the object is gone. Whatever was forgotten meanwhile stays so. */
  const renew = (key: string, before: Entry, path: string, filter: Parameters<Lookup>[1]): void => {
    before.isRenewed = true;
    const entry: Entry = { answer: lookup(path, filter), askedMs: steady(), isRenewed: false };
    entry.answer.then(
      (value) => {
        if (known.get(key) !== before) return;
        if (value === null) known.delete(key);
        else known.set(key, entry);
      },
      () => undefined, // Prefect cannot be asked: whoever asks after the end of the one before is told
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
