// What the thread of pages.ts and its owner send each other.
import type { PrefectSource } from '../prefect-source.ts';
import type { TimelineQuestion } from './page.ts';
import type { RecentQuestion } from './recent.ts';

/** `limited`: the reader sees some runs only, and the owner knows which. */
export type Question =
  | { readonly kind: 'timeline'; readonly question: TimelineQuestion }
  | { readonly kind: 'recent'; readonly question: RecentQuestion; readonly limited: boolean };

/** The thread asks Prefect by its owner, who has the connection. */
export type Ask = { readonly method: keyof PrefectSource; readonly id: string } | { readonly method: 'seen'; readonly ids: readonly string[] };

/** Null: Prefect does not answer. */
export type Seen = ReadonlySet<string> | null;
