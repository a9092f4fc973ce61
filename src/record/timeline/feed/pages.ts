// Queries of Prefect's events by time: their number, and all of them page by page.
import { LictorError } from '../../../contract/error.ts';
import type { PrefectEvent } from '../../../contract/prefect-event.ts';
import type { Upstream, UpstreamAnswer, UpstreamRequest } from '../../../prefect/client/upstream.ts';
import { eventFilter, FEED_AGENT } from './filter.ts';
import { parseEvent } from './parse-event.ts';

/** Prefect's largest page (prefect/server/events/storage, INTERACTIVE_PAGE_SIZE). */
const PAGE = 50;
/** Prefect finds a page by counting from the first event. So a longer query is split in two. */
const MOST_EVENTS = 2_000;
const SHORTEST_MS = 1_000;

export interface Pages {
  /** Both ends included. */
  count(sinceMs: number, untilMs: number): Promise<number>;
  read(sinceMs: number, untilMs: number, take: (events: readonly PrefectEvent[]) => Promise<void>): Promise<void>;
}

/** True when the query should be split. */
export function isLong(count: number, sinceMs: number, untilMs: number): boolean {
  return count > MOST_EVENTS && untilMs - sinceMs > SHORTEST_MS;
}

/** Throws UpstreamError, or `upstream-unavailable` for an invalid answer. */
export function createPages(upstream: Pick<Upstream, 'request'>, signal: AbortSignal): Pages {
  const ask = async (what: UpstreamRequest): Promise<Page> => parsePage(await request(upstream, { ...what, signal }));
  const filtered = (sinceMs: number, untilMs: number, limit: number): Promise<Page> =>
    ask({
      method: 'POST',
      path: '/api/events/filter',
      headers: { ...HEADERS, 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ filter: eventFilter(sinceMs, untilMs), limit })),
    });
  return {
    count: async (sinceMs, untilMs) => (await filtered(sinceMs, untilMs, 1)).total,
    async read(sinceMs, untilMs, take) {
      let page = await filtered(sinceMs, untilMs, PAGE);
      await take(page.events);
      while (page.next !== null) {
        const query = `page-token=${encodeURIComponent(page.next)}`;
        page = await ask({ method: 'GET', path: '/api/events/filter/next', query, headers: HEADERS });
        await take(page.events);
      }
    },
  };
}

interface Page {
  readonly events: readonly PrefectEvent[];
  readonly total: number;
  /** The page token. */
  readonly next: string | null;
}

const HEADERS = { accept: 'application/json', 'user-agent': FEED_AGENT };

async function request(upstream: Pick<Upstream, 'request'>, what: UpstreamRequest): Promise<UpstreamAnswer> {
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
