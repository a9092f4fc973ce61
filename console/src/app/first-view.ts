// Which view the address of the console alone shows.
import type { ViewEntry } from './views.ts';

/** Whether the gateway has seen any. Null: this person may not know, or there is no answer. */
export interface SeenAny {
  readonly runs: boolean | null;
  readonly workers: boolean | null;
}

/** First steps, as long as nothing that the person may know of has happened. Else the first of these views. */
export function firstView(views: readonly Pick<ViewEntry, 'name'>[], { runs, workers }: SeenAny): string {
  const known = [runs, workers].filter((seen) => seen !== null);
  const isEmpty = known.length > 0 && known.every((seen) => !seen);
  return isEmpty ? 'start' : (views[0]?.name ?? 'start');
}
