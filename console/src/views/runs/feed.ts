// Reads one timeline: its pages, then what was written since. After an error it goes on from the same place.
import type { Row } from './row.ts';

export interface Page<Head> {
  readonly run: Head | null;
  readonly rows: readonly Row[];
  readonly next: string | null;
  readonly live: string;
}

export interface FeedState<Head> {
  readonly head: Head | null;
  /** All pages have been read. */
  readonly complete: boolean;
  /** What went wrong with the last question; null: nothing. */
  readonly problem: unknown;
}

export interface FeedParts<Head> {
  ask(question: { readonly cursor: string | undefined; readonly limit: number }, signal: AbortSignal): Promise<Page<Head>>;
  /** Resolves after this time, or as soon as there may be something new. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** The milliseconds until the next try after this error; null: there is none. */
  retryMs(problem: unknown): number | null;
  onPage(rows: readonly Row[], state: FeedState<Head>): void;
}

/** The first page fills a screen, and comes fast. */
const FIRST = 300;
const LATER = 5_000;
const BUSY_MS = 1_000;
const QUIET_MS = 10_000;

interface Place<Head> {
  readonly state: FeedState<Head>;
  readonly cursor: string | undefined;
  /** Until the next question. Null: there is none. */
  readonly pauseMs: number | null;
}

/** Resolves when the signal aborts, or after an error without another try. */
export async function readFeed<Head>(parts: FeedParts<Head>, signal: AbortSignal): Promise<void> {
  let place: Place<Head> = { state: { head: null, complete: false, problem: null }, cursor: undefined, pauseMs: 0 };
  while (place.pauseMs !== null && !signal.aborted) {
    if (place.pauseMs > 0) await parts.wait(place.pauseMs, signal);
    if (!signal.aborted) place = await step(parts, place, signal);
  }
}

async function step<Head>(parts: FeedParts<Head>, { state, cursor, pauseMs }: Place<Head>, signal: AbortSignal): Promise<Place<Head>> {
  try {
    const { run, rows, next, live } = await parts.ask({ cursor, limit: cursor === undefined ? FIRST : LATER }, signal);
    const found = { head: run ?? state.head, complete: state.complete || next === null, problem: null };
    parts.onPage(rows, found);
    return { state: found, cursor: next ?? live, pauseMs: next === null ? quieter(pauseMs ?? 0, rows.length) : 0 };
  } catch (problem) {
    const failed = { ...state, problem };
    if (!signal.aborted) parts.onPage([], failed);
    return { state: failed, cursor, pauseMs: parts.retryMs(problem) };
  }
}

/** While nothing happens, it asks less and less often. */
function quieter(pause: number, rows: number): number {
  return rows > 0 || pause === 0 ? BUSY_MS : Math.min(QUIET_MS, Math.max(BUSY_MS, pause * 1.3));
}
