// Cedar's answers to the very same question: with the policies fixed, an answer is a function of what Cedar is given.
import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../contract/cache-limit.ts';

/** Of an engine's own lifetime: another set of policies is another engine, with another memo. */
export interface Memo<Q, A extends NonNullable<unknown>> {
  /** Computes the answer, unless the same question (as JSON) was answered. What `compute` has no answer for is asked again. */
  answer(question: Q, compute: (question: Q) => A | undefined): A | undefined;
}

/** Some 2 MiB. A page that reads 500 objects every second stays inside. */
const MOST = 4_096;
/** Longer questions carry free text of users: not worth caching, and not bounded. */
const LONGEST = 1_024;

/** `question` must hold everything that the answer depends on. */
export function createMemo<Q, A extends NonNullable<unknown>>(most = MOST): Memo<Q, A> {
  const known = new LRUCache<string, A>(atMostEntries(most));
  return {
    answer(question, compute) {
      const key = JSON.stringify(question);
      const found = known.get(key);
      if (found !== undefined) return found;
      const answer = compute(question);
      if (answer === undefined || key.length > LONGEST) return answer;
      known.set(key, answer);
      return answer;
    },
  };
}
