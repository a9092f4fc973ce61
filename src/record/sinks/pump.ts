// The loop of one sink: read, deliver, store the position, and wait longer after each failure. It skips no record.
import type { Clock } from '../../contract/clock.ts';
import { type Cursor, FRESH, type SinkState } from './cursor.ts';
import type { Encoder } from './open-sink.ts';
import { DeliveryError, failureWords, type Item, type Sink } from './sink.ts';
import type { Break, Source } from './source.ts';

/** The limits of one batch, in records and in bytes of text. */
const MOST_RECORDS = 512;
const MOST_BYTES = 1 << 20;
const LOOK_MS = 500;
const SAVE_RETRY_MS = 5_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 60_000;
const LONGEST_REQUESTED_MS = 300_000;

export interface PumpParts {
  /** The start position of a new sink. */
  readonly begin: () => Cursor;
  readonly timeoutMs: number;
  readonly sink: Sink;
  readonly source: Source;
  readonly encode: Encoder;
  /** Also sends the events of Prefect, before the record that covers them. */
  readonly events: boolean;
  /** Repeats a batch unchanged, even after a kill: the receiver identifies it by its first and last record. */
  readonly repeatsBatches: boolean;
  readonly load: () => SinkState | undefined;
  readonly save: (state: SinkState) => void | Promise<void>;
  /** Called once for each break. */
  readonly onBreak: (broken: Break) => void;
  readonly onChange: (state: SinkState) => void;
  readonly clock: Clock;
  readonly random: () => number;
  /** Resolves after that time, or when `signal` aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Runs until `signal` aborts. A running delivery may then finish until `cut` aborts, so that an accepted batch is not sent again. Rejects when the ledger or
 * the position cannot be read or written; the caller may start it again.
 */
export async function runPump(parts: PumpParts, signal: AbortSignal, cut: AbortSignal = signal): Promise<void> {
  const { onChange } = parts;
  let state = await firstState(parts);
  onChange(state);
  let [most, failures] = [state.again === 0 ? MOST_RECORDS : state.again, 0];
  while (!signal.aborted) {
    state = await repaired(parts, state);
    const batch = nextBatch(parts, state, most);
    if (batch.length === 0) {
      await parts.wait(LOOK_MS, signal);
      continue;
    }
    state = await beforeSending(parts, state, batch.length);
    const outcome = await attempt(parts, batch, cut);
    if (signal.aborted && outcome.error !== null) return;
    most = nextSize(most, batch.length, outcome.error);
    state = outcome.error === null ? delivered(state, batch, outcome.rejected) : failed({ ...state, again: most }, outcome.error, parts.clock());
    if (!(await persist(parts, state, signal))) return;
    onChange(state);
    failures = outcome.error === null ? 0 : failures + 1;
    if (outcome.error !== null) await parts.wait(waitMs(outcome.error, { failures, tried: batch.length, random: parts.random() }), signal);
  }
}

async function firstState({ load, begin, save }: PumpParts): Promise<SinkState> {
  const known = load();
  if (known !== undefined) return known;
  const fresh = { ...begin(), ...FRESH };
  await save(fresh);
  return fresh;
}

/** Stores the size of the batch, so that a kill during delivery does not change it. */
async function beforeSending({ repeatsBatches, save }: PumpParts, state: SinkState, records: number): Promise<SinkState> {
  if (!repeatsBatches || state.again === records) return state;
  const next = { ...state, again: records };
  await save(next);
  return next;
}

/** Retries while the disk is full or the store is away, so that an accepted batch is not sent again. False: the stop came first. */
async function persist({ save, onChange, clock, wait }: PumpParts, state: SinkState, signal: AbortSignal): Promise<boolean> {
  const sinceMs = clock();
  for (;;) {
    try {
      await save(state);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      onChange(failed(state, error, sinceMs));
      await wait(SAVE_RETRY_MS, signal);
    }
  }
}

/** Reports and counts records that are gone before delivery. */
async function repaired({ source, save, onBreak }: PumpParts, state: SinkState): Promise<SinkState> {
  const broken = source.check(state);
  if (broken === undefined) return state;
  onBreak(broken);
  // A deleted record has no id to compare. The next delivery stores an id again.
  const next = { ...state, ...broken.cursor, event: 0, missed: state.missed + (broken.kind === 'pruned' ? broken.missed : 0) };
  await save(next);
  return next;
}

interface Sent extends Item {
  /** The sink's position after this item. */
  readonly place: Cursor & Pick<SinkState, 'event'>;
}

function nextBatch(parts: PumpParts, state: SinkState, most: number): readonly Sent[] {
  const batch: Sent[] = [];
  let bytes = 0;
  for (const item of nextItems(parts, state, most)) {
    bytes += item.json.length;
    if ((bytes > MOST_BYTES && batch.length > 0) || batch.length >= most) break;
    batch.push(item);
  }
  return batch;
}

/** A batch may end between the events of a record. The record itself follows them. */
function* nextItems({ source, encode, events }: PumpParts, state: SinkState, most: number): Generator<Sent> {
  let place: Sent['place'] = { n: state.n, id: state.id, time: state.time, event: state.event };
  for (const { n, record } of source.after(state, most)) {
    for (const one of events ? source.eventsOf(record, place.event, most) : []) {
      place = { ...place, event: one.n };
      yield { ...encode.event(one.event, record), place };
    }
    place = { n, id: record.id, time: record.time, event: 0 };
    yield { ...encode.record(record), place };
  }
}

type Outcome = { readonly error: null; readonly rejected: number } | { readonly error: unknown; readonly rejected: 0 };

async function attempt({ sink, timeoutMs }: PumpParts, batch: readonly Item[], signal: AbortSignal): Promise<Outcome> {
  try {
    const { rejected } = await sink.deliver(batch, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
    return { error: null, rejected };
  } catch (error) {
    return { error: error ?? new Error('unknown error'), rejected: 0 };
  }
}

function delivered(state: SinkState, batch: readonly Sent[], rejected: number): SinkState {
  const last = batch.at(-1);
  if (last === undefined) return state;
  return {
    ...state,
    ...last.place,
    again: 0,
    delivered: state.delivered + batch.length - rejected,
    rejected: state.rejected + rejected,
    failing_since: null,
    problem: null,
  };
}

function failed(state: SinkState, error: unknown, nowMs: number): SinkState {
  return { ...state, failing_since: state.failing_since ?? new Date(nowMs).toISOString(), problem: failureWords(error).slice(0, 300) };
}

/** A failed batch keeps its size: with newer records it would be another batch for its receiver. */
function nextSize(most: number, tried: number, error: unknown): number {
  if (isTooLarge(error)) return Math.max(1, Math.floor(tried / 2));
  return error === null ? Math.min(MOST_RECORDS, most * 2) : tried;
}

function isTooLarge(error: unknown): boolean {
  return error instanceof DeliveryError && error.tooLarge;
}

interface Tried {
  /** Consecutive failures. */
  readonly failures: number;
  /** The size of the failed batch. */
  readonly tried: number;
  readonly random: number;
}

/** Doubles up to a minute, with jitter, so that many gateways do not return at the same moment. A batch that was too large is halved and tried at once. */
function waitMs(error: unknown, { failures, tried, random }: Tried): number {
  if (isTooLarge(error) && tried > 1) return 0;
  const requestedMs = error instanceof DeliveryError ? Math.min(error.retryAfterMs ?? 0, LONGEST_REQUESTED_MS) : 0;
  return Math.max(requestedMs, Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 10)) * (0.75 + random / 2));
}
