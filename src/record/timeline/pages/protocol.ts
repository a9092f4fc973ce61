// What the thread of pages.ts and its owner send each other.
import type { PrefectSource } from '../prefect-source.ts';
import type { TimelineQuestion } from './page.ts';
import type { RecentQuestion } from './recent.ts';

export type Question = { readonly kind: 'timeline'; readonly question: TimelineQuestion } | { readonly kind: 'recent'; readonly question: RecentQuestion };

/** The thread asks Prefect by its owner, who has the connection. */
export interface Ask {
  readonly method: keyof PrefectSource;
  readonly id: string;
}
