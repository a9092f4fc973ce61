// Sends notable decisions to Prefect as events of the run. It reads them from the ledger's outbox, apart from the request path.
import type { Logger } from 'pino';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import type { Upstream } from '../../../prefect/client/upstream.ts';
import { createsRun } from '../../ledger/notable.ts';
import { bringToDiskLater } from '../../ledger/on-disk.ts';
import { type OutboxEntry, type OutboxReader, openOutboxReader } from '../../ledger/outbox.ts';
import { refusalAnnouncement, startAnnouncement } from './announcement.ts';
import { createCoalescer } from './coalesce.ts';
import { type Announcement, type Memory, NOTHING, readMemory, refusalOf, writeMemory } from './memory.ts';
import { post } from './post.ts';

/** Records read at once. */
const AT_ONCE = 50;
const LOOK_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export interface AnnouncerParts {
  readonly ledgerFile: string;
  /** The stored position. */
  readonly memoryFile: string;
  readonly upstream: () => Pick<Upstream, 'request'>;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  readonly log: Pick<Logger, 'warn'>;
  readonly lookMs?: number;
  readonly toDisk?: (ledgerFile: string) => Promise<void>;
}

export interface Announcer {
  /** Since the start. `dropped`: events that Prefect rejected, and those deleted while Prefect was away for long. */
  status(): { readonly sent: number; readonly dropped: number };
  /** Sends what is due once more. The rest follows after the next start. */
  close(): Promise<void>;
}

export function createAnnouncer(parts: AnnouncerParts): Announcer {
  const { ledgerFile, memoryFile, upstream, clock, steady, log, lookMs = LOOK_MS, toDisk = bringToDiskLater } = parts;
  const stopping = new AbortController();
  let memory = readMemory(memoryFile) ?? NOTHING;
  let reader: OutboxReader | undefined;
  let [sent, dropped, pauseMs, notBeforeMs] = [0, 0, 0, 0];
  let looking: Promise<void> | undefined;

  async function persist(next: Memory): Promise<void> {
    await writeMemory(memoryFile, next);
    memory = next;
  }

  /** Stores the next events before they are sent. False: there are none. */
  async function prepare(): Promise<boolean> {
    reader ??= openOutboxReader(ledgerFile);
    const from = placeIn(reader, memory);
    const entries = reader.after(from.k, AT_ONCE);
    const next = step(from, entries, clock());
    if (entries.length === 0 && next.pending.length === 0 && next.repeated.length === memory.repeated.length) return false;
    // The records reach the disk first. Otherwise a power failure could give their positions to other records.
    if (entries.length > 0) await toDisk(ledgerFile);
    await persist(next);
    const missed = missing(from.k, entries);
    if (missed > 0) reportDropped(missed, 'Prefect was away for so long that the gateway dropped events for it');
    return entries.length > 0 || next.pending.length > 0;
  }

  function reportDropped(events: number, text: string): void {
    dropped += events;
    log.warn({ events }, text);
  }

  async function send(): Promise<boolean> {
    const { pending } = memory;
    if (pending.length === 0) return true;
    const outcome = await post(upstream(), pending, stopping.signal);
    if (outcome === 'later') {
      pauseMs = Math.min(Math.max(pauseMs * 2, LOOK_MS), LONGEST_PAUSE_MS);
      notBeforeMs = steady() + pauseMs;
      return false;
    }
    pauseMs = 0;
    await persist({ ...memory, pending: [] });
    sent += pending.length - outcome.refused;
    if (outcome.refused > 0) reportDropped(outcome.refused, 'Prefect does not take the events of the gateway');
    return true;
  }

  async function work(): Promise<void> {
    if (steady() < notBeforeMs) return;
    while ((await send()) && (await prepare()) && !stopping.signal.aborted);
  }

  /** The ledger may be missing or reopened, or the disk full: the next look starts again. */
  function look(): Promise<void> {
    looking ??= work()
      .catch(() => {
        reader?.close();
        reader = undefined;
      })
      .finally(() => {
        looking = undefined;
      });
    return looking;
  }

  const timer = setInterval(look, lookMs);
  return {
    status: () => ({ sent, dropped }),
    async close() {
      clearInterval(timer);
      const patience = setTimeout(() => stopping.abort(), LOOK_MS);
      await looking;
      await look();
      clearTimeout(patience);
      reader?.close();
      reader = undefined;
    },
  };
}

/** Starts from the beginning if the ledger is another one, for example a restored copy. Event ids derive from records, so Prefect stores each event once. */
function placeIn(reader: OutboxReader, memory: Memory): Memory {
  const id = reader.idAt(memory.k);
  const isOther = memory.k > reader.end() || (id !== undefined && id !== memory.id);
  return isOther ? NOTHING : memory;
}

/** Deleted by the outbox, or by retention. */
function missing(k: number, entries: readonly OutboxEntry[]): number {
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined) return 0;
  return last.k - (k === 0 ? first.k - 1 : k) - entries.filter(({ record }) => record !== null).length;
}

/** Time is that of the records, so the same records give the same events at any reading. After the last record it is now. */
function step({ k, id, repeated }: Memory, entries: readonly OutboxEntry[], nowMs: number): Memory {
  const coalescer = createCoalescer(repeated);
  const pending: Announcement[] = [];
  const due = (ms: number) => {
    for (const one of coalescer.due(ms)) pending.push(refusalAnnouncement(one));
  };
  for (const { record } of entries) {
    if (record === null) continue;
    const atMs = Date.parse(record.time);
    due(atMs);
    if (createsRun(record)) {
      pending.push(startAnnouncement(record));
      continue;
    }
    const coalesced = coalescer.take(refusalOf(record), atMs);
    if (coalesced !== undefined) pending.push(refusalAnnouncement(coalesced));
  }
  if (entries.length < AT_ONCE) due(nowMs);
  const last = entries.at(-1);
  return { k: last?.k ?? k, id: last === undefined ? id : (last.record?.id ?? ''), repeated: [...coalescer.open()], pending };
}
