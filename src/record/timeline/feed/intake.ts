// Events on their way into the ledger: each once, in batches, in bounded memory; and how far they are complete.

import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import { LictorError } from '../../../contract/error.ts';
import type { EventsMark, PrefectEvent } from '../../../contract/prefect-event.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { behindMs } from './behind.ts';
import { createParents, type Parents } from './parents.ts';

/** Of one transaction, and so of one record of the chain. */
const BATCH = 200;
const MOST_WAITING = 2_000;
/** Some 10 MiB. */
const MOST_KNOWN = 50_000;
const FLUSH_MS = 500;
/** An unchanged mark is written anew so often. */
const MARK_MS = 10_000;
/** A gateway that never looked begins a little before its start: what was long before it is not its to tell. */
const FIRST_MS = 60_000;

export interface Intake {
  /** From a stream, which does not wait. What there is no room for is asked for later. */
  offer(event: PrefectEvent): void;
  /** From an answer: waits until there is room. */
  take(events: readonly PrefectEvent[]): Promise<void>;
  /** Resolves when everything that was taken is stored. Rejects when it is closed before. */
  stored(): Promise<void>;
  /** How many events of that time are known to have come, both ends included. */
  known(sinceMs: number, untilMs: number): number;
  /** Epoch milliseconds: what occurred before is stored; and since when it is known which have come. */
  positionMs(): number;
  knownSinceMs(): number;
  /** Everything up to then is stored, as far as Prefect has told. */
  advance(toMs: number): void;
  /** The clock was put back: what lies beyond then was never asked for. */
  fallBack(toMs: number): void;
  /** In which flow runs the sub-flows of these events are. */
  readonly parents: Pick<Parents, 'learn'>;
  /** How the asking goes. */
  note(state: Partial<Pick<EventsMark, 'streams' | 'servers' | 'problem'>>): void;
  status(): IntakeStatus;
  close(): Promise<void>;
}

/** For metrics and the like. */
export interface IntakeStatus extends Omit<EventsMark, 'at'> {
  readonly behindMs: number;
  /** Since the start: stored, and left out of a stream for want of room (asked for again later). */
  readonly stored: number;
  readonly dropped: number;
  readonly waiting: number;
}

export interface IntakeParts {
  readonly ledger: Pick<Ledger, 'storeEvents'>;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  /** As it was stored last. */
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

  /** What could not be written stays, and is tried again with the next look. */
  async function write(): Promise<void> {
    while (waiting.length > 0 || isMarkDue()) {
      const events = waiting.slice(0, BATCH);
      const now = currentMark();
      const isDone = await ledger.storeEvents({ events, mark: now }).then(
        () => true,
        () => false, // the ledger says why
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
      // A last try; what stays is asked for after the next start.
      await write();
      for (const { reject } of waiters.splice(0)) reject(over());
    },
  };
}

function over(): LictorError {
  return new LictorError('gateway-unavailable', 'The gateway stops.');
}

/** The ids that have come, and when they occurred; of the oldest it knows no more. */
function createKnown(begunMs: number, clock: Clock) {
  const ids = new Map<string, number>();
  let sinceMs = begunMs;
  return {
    /** False: it has come before. */
    add(id: string, occurredMs: number): boolean {
      if (ids.has(id)) return false;
      ids.set(id, occurredMs);
      if (ids.size <= MOST_KNOWN) return true;
      for (const [oldest, atMs] of ids) {
        ids.delete(oldest);
        // A client says when its event occurred: years ahead would end all asking. What is forgotten of the future is asked for when it comes.
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
