// What the thread of pages.ts and its owner send each other.
import type { PrefectSource } from '../prefect-source.ts';
import type { TimelinePage } from './head.ts';
import type { TimelineQuestion } from './page.ts';
import type { RecentQuestion, RecentRuns } from './recent.ts';

export type Question = { readonly kind: 'timeline'; readonly question: TimelineQuestion } | { readonly kind: 'recent'; readonly question: RecentQuestion };

/** The thread asks Prefect by its owner, who has the connection. */
export interface Ask {
  readonly number: number;
  readonly method: keyof PrefectSource;
  readonly id: string;
}

export interface Reply {
  readonly number: number;
  readonly value: unknown;
}

export type Answer = { readonly ok: true; readonly value: TimelinePage | RecentRuns } | { readonly ok: false; readonly code: string; readonly message: string };
