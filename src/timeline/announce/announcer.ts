// Decisions that matter go to Prefect as events of the run: a bounded queue, sent by the gateway's own client, in nobody's way.
import type { Logger } from 'pino';
import type { Clock } from '../../contract/clock.ts';
import type { NewRecord } from '../../contract/record.ts';
import { createsRun } from '../../ledger/notable.ts';
import type { Upstream } from '../../prefect/upstream.ts';
import { type Announcement, announcementOf } from './announcement.ts';
import { createCoalescer } from './coalesce.ts';

const MOST_WAITING = 1_000;
const AT_ONCE = 50;
const LOOK_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export interface AnnouncerParts {
  readonly upstream: () => Pick<Upstream, 'request'>;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  /** Only tests have another. */
  readonly lookMs?: number;
}

export interface Announcer {
  /** Records of a run (`isNotable`). Never waits. */
  take(records: readonly NewRecord[]): void;
  /** For metrics and the like. `dropped`: for want of room while Prefect was away. */
  status(): { readonly waiting: number; readonly sent: number; readonly dropped: number };
  /** What waits is tried once more. */
  close(): Promise<void>;
}

export function createAnnouncer({ upstream, clock, log, lookMs = LOOK_MS }: AnnouncerParts): Announcer {
  const coalescer = createCoalescer();
  const waiting: Announcement[] = [];
  const stopping = new AbortController();
  let [sent, dropped, pauseMs, notBeforeMs] = [0, 0, 0, 0];
  let sending: Promise<void> | undefined;

  function add(record: NewRecord, count: number): void {
    if (waiting.length < MOST_WAITING) waiting.push(announcementOf(record, count));
    else dropped += 1;
  }

  async function send(): Promise<void> {
    while (waiting.length > 0 && clock() >= notBeforeMs) {
      const batch = waiting.slice(0, AT_ONCE);
      const outcome = await post(upstream(), batch, stopping.signal);
      if (outcome === 'later') {
        pauseMs = Math.min(Math.max(pauseMs * 2, LOOK_MS), LONGEST_PAUSE_MS);
        notBeforeMs = clock() + pauseMs;
        return;
      }
      pauseMs = 0;
      waiting.splice(0, batch.length);
      if (outcome === 'taken') sent += batch.length;
      else {
        dropped += batch.length;
        log.warn({ events: batch.length }, 'Prefect does not take the events of the gateway');
      }
    }
  }

  function look(): void {
    for (const { record, count } of coalescer.due(clock())) add(record, count);
    sending ??= send().finally(() => {
      sending = undefined;
    });
  }

  const timer = setInterval(look, lookMs);
  return {
    take(records) {
      for (const record of records) {
        const told = createsRun(record) ? { record, count: 1 } : coalescer.take(record, clock());
        if (told !== undefined) add(told.record, told.count);
      }
    },
    status: () => ({ waiting: waiting.length, sent, dropped }),
    async close() {
      clearInterval(timer);
      const patience = setTimeout(() => stopping.abort(), LOOK_MS);
      await sending;
      await send();
      clearTimeout(patience);
    },
  };
}

/** `refused`: it would be refused again and again. */
async function post(upstream: Pick<Upstream, 'request'>, events: readonly Announcement[], signal: AbortSignal): Promise<'taken' | 'later' | 'refused'> {
  try {
    const headers = { accept: 'application/json', 'content-type': 'application/json', 'user-agent': 'lictor-announcements' };
    const { status } = await upstream.request({ method: 'POST', path: '/api/events', headers, body: Buffer.from(JSON.stringify(events)), signal });
    if (status < 300) return 'taken';
    return status >= 500 || status === 429 || status === 408 ? 'later' : 'refused';
  } catch {
    return 'later'; // Prefect is away: the gateway's health says so
  }
}
