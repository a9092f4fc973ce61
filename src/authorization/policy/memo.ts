// Caches Cedar's answers: for one set of policies, the answer depends only on the question.
import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../contract/cache-limit.ts';

/** For the lifetime of one engine: another set of policies has another engine with another memo. */
export interface Memo<Q, A extends NonNullable<unknown>> {
  /** Computes the answer, unless the same question (as JSON) is cached. An undefined answer is not cached. */
  answer(question: Q, compute: (question: Q) => A | undefined): A | undefined;
}

/** Some 2 MiB. A page that reads 500 objects every second stays inside. */
const MOST = 4_096;
/** Longer questions contain free text of users, which is unbounded and rarely repeated. */
const LONGEST = 1_024;

/** `question` must contain everything that the answer depends on. */
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
