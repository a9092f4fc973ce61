// Asks Prefect what occurred, and takes what has not come by a stream: the proof that nothing is missing.

import { LictorError } from '../../contract/error.ts';
import type { PrefectEvent } from '../../contract/prefect-event.ts';
import type { Upstream, UpstreamAnswer, UpstreamRequest } from '../../prefect/upstream.ts';
import { SETTLE_MS } from './behind.ts';
import { eventFilter, FEED_AGENT } from './filter.ts';
import type { Intake } from './intake.ts';
import { parseEvent } from './parse-event.ts';

/** Prefect takes no larger page (prefect/server/events/storage, INTERACTIVE_PAGE_SIZE). */
const PAGE = 50;
/** Clocks differ and clients send late: this much of what was complete is counted again. */
const OVERLAP_MS = 10 * 60_000;
/** Pages are counted from the beginning of their question: a question of more is cut in two. */
const MOST_EVENTS = 2_000;
const SHORTEST_MS = 1_000;

export interface CatchUpParts {
  readonly upstream: Pick<Upstream, 'request'>;
  readonly intake: Intake;
  readonly clock: () => number;
  readonly signal: AbortSignal;
  /** Only tests have another. */
  readonly settleMs?: number;
}

/** While a stream was away Prefect may have told it what it never wrote down: numbers alone prove nothing about that time. */
export interface Doubt {
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * One round: from what is complete to a moment ago. Counts first, so that a round in which nothing is missing is one small question.
 * What is in doubt is read whole. Call the result again and again; it throws UpstreamError, or `upstream-unavailable` for an answer that is none.
 */
export function createCatchUp({ upstream, intake, clock, signal, settleMs = SETTLE_MS }: CatchUpParts): (doubt?: Doubt) => Promise<void> {
  /** Of events that cannot be read, or that Prefect counts otherwise: they are not looked for again and again. */
  let unreadable = 0;

  async function window(sinceMs: number, untilMs: number, doubt: Doubt | undefined): Promise<number> {
    const filter = eventFilter(sinceMs, untilMs);
    const first = await ask(upstream, { filter, limit: 1 }, signal);
    if (first.total > MOST_EVENTS && untilMs - sinceMs > SHORTEST_MS) return window(sinceMs, sinceMs + Math.ceil((untilMs - sinceMs) / 2), doubt);
    const missing = () => first.total - intake.known(sinceMs, untilMs);
    const isDoubted = doubt !== undefined && sinceMs <= doubt.untilMs && untilMs >= doubt.fromMs;
    if (isDoubted || missing() > unreadable) {
      let page = await ask(upstream, { filter, limit: PAGE }, signal);
      await intake.take(page.events);
      while (page.next !== null) {
        page = await askNext(upstream, page.next, signal);
        await intake.take(page.events);
      }
    }
    unreadable = Math.max(0, missing());
    return untilMs;
  }

  return async (doubt) => {
    const targetMs = clock() - settleMs;
    let sinceMs = Math.min(Math.max(intake.positionMs() - OVERLAP_MS, intake.knownSinceMs()), doubt?.fromMs ?? Number.MAX_SAFE_INTEGER);
    while (sinceMs < targetMs) {
      const untilMs = await window(sinceMs, targetMs, doubt);
      await intake.stored();
      intake.advance(untilMs);
      sinceMs = untilMs;
    }
  };
}

interface Page {
  readonly events: readonly PrefectEvent[];
  readonly total: number;
  /** The page token. */
  readonly next: string | null;
}

const HEADERS = { accept: 'application/json', 'user-agent': FEED_AGENT };

async function ask(upstream: CatchUpParts['upstream'], body: object, signal: AbortSignal): Promise<Page> {
  return parsePage(
    await request(upstream, {
      method: 'POST',
      path: '/api/events/filter',
      headers: { ...HEADERS, 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(body)),
      signal,
    }),
  );
}

async function askNext(upstream: CatchUpParts['upstream'], token: string, signal: AbortSignal): Promise<Page> {
  const query = `page-token=${encodeURIComponent(token)}`;
  return parsePage(await request(upstream, { method: 'GET', path: '/api/events/filter/next', query, headers: HEADERS, signal }));
}

async function request(upstream: CatchUpParts['upstream'], what: UpstreamRequest): Promise<UpstreamAnswer> {
  const answer = await upstream.request(what);
  if (answer.status !== 200) throw new LictorError('upstream-unavailable', `Prefect answered ${answer.status} when it was asked for events`);
  return answer;
}

function parsePage({ body }: UpstreamAnswer): Page {
  const value: unknown = JSON.parse(body.toString('utf8'));
  const isPage = typeof value === 'object' && value !== null && 'events' in value && 'total' in value && Array.isArray(value.events);
  if (!isPage || typeof value.total !== 'number') throw new LictorError('upstream-unavailable', 'Prefect gave no page of events');
  const next = 'next_page' in value && typeof value.next_page === 'string' ? new URL(value.next_page).searchParams.get('page-token') : null;
  return {
    events: (value.events as readonly unknown[]).flatMap((event) => parseEvent(event) ?? []),
    total: value.total,
    next: next?.replaceAll(' ', '+') ?? null,
  };
}
