// Takes events of Prefect into the ledger: each once, in batches, with bounded memory. It also stores how far they are complete.

import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import { LictorError } from '../../../contract/error.ts';
import type { EventsMark, PrefectEvent } from '../../../contract/prefect-event.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { behindMs } from './behind.ts';
import { createParents, type Parents } from './parents.ts';

/** Events of one transaction, and so of one record of the chain. */
const BATCH = 200;
const MOST_WAITING = 2_000;
/** About 10 MiB. */
const MOST_KNOWN = 50_000;
const FLUSH_MS = 500;
/** How often an unchanged mark is written. */
const MARK_MS = 10_000;
/** The first start looks back this far. Earlier events are not stored. */
const FIRST_MS = 60_000;

export interface Intake {
  /** From a stream, which cannot wait. An event without room is fetched later. */
  offer(event: PrefectEvent): void;
  /** From an answer: waits for room. */
  take(events: readonly PrefectEvent[]): Promise<void>;
  /** Resolves when every taken event is stored. Rejects when the intake closes earlier. */
  stored(): Promise<void>;
  /** How many known events occurred in that time, both ends included. */
  known(sinceMs: number, untilMs: number): number;
  /** Events before `positionMs` are stored. Ids are known for events since `knownSinceMs`. Both in epoch milliseconds. */
  positionMs(): number;
  knownSinceMs(): number;
  /** Every event up to then is stored, as far as Prefect returned it. */
  advance(toMs: number): void;
  /** The clock went back: events after that time were never fetched. */
  fallBack(toMs: number): void;
  /** Finds the flow runs of these events' sub-flows. */
  readonly parents: Pick<Parents, 'learn'>;
  /** Updates the state of the streams and of the last fetch. */
  note(state: Partial<Pick<EventsMark, 'streams' | 'servers' | 'problem'>>): void;
  status(): IntakeStatus;
  close(): Promise<void>;
}

export interface IntakeStatus extends Omit<EventsMark, 'at'> {
  readonly behindMs: number;
  /** Since the start: stored events, and events dropped from a stream for lack of room (fetched later). */
  readonly stored: number;
  readonly dropped: number;
  readonly waiting: number;
}

export interface IntakeParts {
  readonly ledger: Pick<Ledger, 'storeEvents'>;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  /** The last stored mark. */
  readonly mark: EventsMark | undefined;
  readonly flushMs?: number;
}

export function createIntake({ ledger, clock, steady, mark, flushMs = FLUSH_MS }: IntakeParts): Intake {
  const beginMs = clock() - FIRST_MS;
  const known = createKnown(mark === undefined ? beginMs : Number.NEGATIVE_INFINITY, clock);
  const parents = createParents();
  const waiting: PrefectEvent[] = [];
  const waiters: { readonly until: number; resolve(): void; reject(error: Error): void }[] = [];
  let positionMs = mark === undefined ? beginMs : Math.min(Date.parse(mark.position), clock());
  let state = { streams: 0, servers: 0, problem: null as string | null };
  let [taken, stored, dropped] = [0, 0, 0];
  let writing: Promise<void> | undefined;
  /** `atMs`: by the steady clock. */
  let written = { text: '', atMs: Number.NEGATIVE_INFINITY };
  let closed = false;

  const currentMark = (): EventsMark => ({ position: new Date(positionMs).toISOString(), at: new Date(clock()).toISOString(), ...state });
  const textOf = (one: EventsMark) => JSON.stringify({ ...one, at: '' });
  const isMarkDue = () => steady() - written.atMs >= MARK_MS || (textOf(currentMark()) !== written.text && steady() - written.atMs >= 1_000);

  function add(event: PrefectEvent): void {
    if (!known.add(event.id, Date.parse(event.occurred))) return;
    waiting.push(event);
    parents.note(event);
    taken += 1;
    if (waiting.length >= BATCH) flush();
  }

  function flush(): void {
    writing ??= write().finally(() => {
      writing = undefined;
    });
  }

  /** Events that could not be written stay for the next try. */
  async function write(): Promise<void> {
    while (waiting.length > 0 || isMarkDue()) {
      const events = waiting.slice(0, BATCH);
      const now = currentMark();
      const isDone = await ledger.storeEvents({ events, mark: now }).then(
        () => true,
        () => false,
      );
      if (!isDone) return;
      waiting.splice(0, events.length);
      stored += events.length;
      written = { text: textOf(now), atMs: steady() };
      for (const waiter of waiters.filter(({ until }) => until <= stored)) {
        waiters.splice(waiters.indexOf(waiter), 1);
        waiter.resolve();
      }
    }
  }

  const timer = setInterval(flush, flushMs);

  function whenStored(until: number): Promise<void> {
    if (until <= stored) return Promise.resolve();
    if (closed) return Promise.reject(over());
    flush();
    return new Promise((resolve, reject) => waiters.push({ until, resolve, reject }));
  }

  return {
    offer(event) {
      if (waiting.length < MOST_WAITING) add(event);
      else dropped += 1;
    },
    async take(events) {
      for (const event of events) {
        if (waiting.length >= MOST_WAITING) await whenStored(taken - MOST_WAITING / 2);
        add(event);
      }
    },
    parents,
    stored: () => whenStored(taken),
    known: known.within,
    positionMs: () => positionMs,
    knownSinceMs: known.sinceMs,
    advance(toMs) {
      positionMs = Math.max(positionMs, toMs);
    },
    fallBack(toMs) {
      positionMs = Math.min(positionMs, toMs);
    },
    note(next) {
      state = { ...state, ...next };
    },
    status: () => {
      const { at, ...now } = currentMark();
      return { ...now, behindMs: behindMs(now, Date.parse(at)), stored, dropped, waiting: waiting.length };
    },
    async close() {
      closed = true;
      clearInterval(timer);
      await writing;
      // A last try. The rest is fetched after the next start.
      await write();
      for (const { reject } of waiters.splice(0)) reject(over());
    },
  };
}

function over(): LictorError {
  return new LictorError('gateway-unavailable', 'The gateway stops.');
}

/** Ids of the newest events, and when they occurred. */
function createKnown(begunMs: number, clock: Clock) {
  const ids = new Map<string, number>();
  let sinceMs = begunMs;
  return {
    /** False: the id is known already. */
    add(id: string, occurredMs: number): boolean {
      if (ids.has(id)) return false;
      ids.set(id, occurredMs);
      if (ids.size <= MOST_KNOWN) return true;
      for (const [oldest, atMs] of ids) {
        ids.delete(oldest);
        // A client sets an event's time, and a far future one would end all fetching. So forgotten events of the future do not move the mark.
        if (atMs <= clock()) sinceMs = Math.max(sinceMs, atMs + 1);
        if (ids.size <= MOST_KNOWN * 0.9) break;
      }
      return true;
    },
    sinceMs: () => sinceMs,
    within(fromMs: number, untilMs: number): number {
      let count = 0;
      for (const atMs of ids.values()) if (atMs >= fromMs && atMs <= untilMs) count += 1;
      return count;
    },
  };
}
