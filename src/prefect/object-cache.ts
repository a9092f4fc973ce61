// What Prefect said about its objects a moment ago: for decisions on the direct path. Prefect tells nobody of most changes, so it is short.
import type { Clock } from '../contract/clock.ts';
import type { JsonValue } from '../json/tree.ts';
import type { Lookup } from './lookup.ts';

export interface ObjectCache {
  readonly lookup: Lookup;
  /** After something was changed through the gateway. */
  forget(): void;
}

/** DESIGN 4: a change that went round the gateway is seen after this much, and the two seconds of the decision cache. */
const LIFE_MS = 5_000;
/** Some 10 MiB of runs and deployments. */
const MOST = 2_000;

/** Answers of the same question within the time are one. What is not there, and what failed, is asked again. */
export function createObjectCache(lookup: Lookup, clock: Clock): ObjectCache {
  const known = new Map<string, { readonly answer: Promise<JsonValue | null>; readonly untilMs: number }>();
  return {
    lookup(path, filter) {
      const key = filter === undefined ? path : `${path} ${JSON.stringify(filter)}`;
      const found = known.get(key);
      if (found !== undefined && found.untilMs > clock()) return found.answer;
      const answer = lookup(path, filter);
      if (known.size >= MOST) known.clear();
      const entry = { answer, untilMs: clock() + LIFE_MS };
      known.set(key, entry);
      const drop = (): void => void (known.get(key) === entry && known.delete(key));
      answer.then((value) => value === null && drop(), drop);
      return answer;
    },
    forget: () => known.clear(),
  };
}
