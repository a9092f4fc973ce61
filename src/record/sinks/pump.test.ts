import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../../config/state-dir.ts';
import { writeRecords } from '../ledger/chain/chain.fixture.ts';
import { tempState } from '../ledger/lines.fixture.ts';
import { flowRunEvent, writeEvents } from '../ledger/prefect-events/event.fixture.ts';
import { FRESH, readState, type SinkState, writeState } from './cursor.ts';
import { encoderOf } from './open-sink.ts';
import { runPump } from './pump.ts';
import { DeliveryError, type Item } from './sink.ts';
import { BEGINNING, type Break, openSource, type Source } from './source.ts';

describe('a sink', () => {
  let paths: StatePaths;
  let remove: () => void;
  let got: number[][];
  let breaks: Break[];
  let waits: number[];
  let problems: (string | null)[];
  let source: () => Source;
  beforeEach(() => {
    ({ paths, remove } = tempState());
    [got, breaks, waits, problems] = [[], [], [], []];
    source = () => openSource(paths.ledgerFile);
    writeRecords(paths, 20);
  });
  afterEach(() => remove());

  const state = (): SinkState | undefined => readState(paths.exports, 's');

  interface Setting {
    readonly from?: 'now' | 'start';
    readonly events?: boolean;
    /** What happens at each delivery; undefined: it works. */
    readonly trouble?: (batch: readonly Item[], attempt: number) => Error | undefined;
    readonly repeatsBatches?: boolean;
    /** Called before each position is stored. An error means that the disk is full. */
    readonly disk?: (next: SinkState) => Error | undefined;
    /** Called before each wait. True ends the loop. By default, the loop ends after the last record. */
    readonly atWait?: (ms: number) => boolean;
  }

  async function pump({
    from = 'start',
    events = false,
    repeatsBatches = false,
    trouble = () => undefined,
    disk = () => undefined,
    atWait = (ms) => ms === 500 && waits.length > 0,
  }: Setting = {}): Promise<void> {
    const opened = source();
    const stop = new AbortController();
    let attempts = 0;
    await runPump(
      {
        begin: () => (from === 'start' ? BEGINNING : opened.end()),
        repeatsBatches,
        timeoutMs: 1_000,
        source: opened,
        sink: {
          async deliver(batch) {
            attempts += 1;
            const error = trouble(batch, attempts);
            if (error !== undefined) throw error;
            got.push(batch.map(({ record, event }) => (event === undefined ? record.seq : -Number(event.id.slice(-6)))));
            return { rejected: 0 };
          },
          close: async () => undefined,
        },
        encode: encoderOf({ format: 'record' }),
        events,
        load: state,
        save(next) {
          const error = disk(next);
          if (error !== undefined) throw error;
          writeState(paths.exports, 's', next);
        },
        onBreak: (broken) => breaks.push(broken),
        onChange: (next) => problems.push(next.problem),
        clock: () => Date.parse('2026-03-02T00:00:00.000Z'),
        random: () => 0.5,
        async wait(ms) {
          waits.push(ms);
          if (atWait(ms)) stop.abort();
        },
      },
      stop.signal,
    );
    opened.close();
  }

  const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_none, index) => from + index);

  it('gets every record once, in order, and continues from its position', async () => {
    await pump();
    writeRecords(paths, 5, { startMs: Date.parse('2026-03-01T13:00:00.000Z') });
    await pump();
    expect(got.flat()).toEqual(numbers(1, 25));
    expect(state()).toMatchObject({ n: 25, delivered: 25, missed: 0, failing_since: null });
  });

  it('gets nothing that a power failure could take back: it is on the disk before', async () => {
    const order: string[] = [];
    source = () => openSource(paths.ledgerFile, { toDisk: (file) => void order.push(file) });
    await pump({ trouble: () => void order.push('delivered') });
    expect(order).toEqual([paths.ledgerFile, 'delivered']);
  });

  it('that is new begins with new records, unless configured otherwise', async () => {
    await pump({ from: 'now' });
    expect([got.flat(), state()?.n]).toEqual([[], 20]);
    writeRecords(paths, 2, { startMs: Date.parse('2026-03-01T13:00:00.000Z') });
    await pump({ from: 'start' });
    expect(got.flat()).toEqual([21, 22]);
  });

  it('that fails is tried again, later and later, with the same records; nothing is left out', async () => {
    await pump({ trouble: (_batch, attempt) => (attempt <= 9 ? new Error('boom') : undefined), atWait: () => waits.length > 9 });
    expect(got.flat()).toEqual(numbers(1, 20));
    expect(waits.slice(0, 9)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('that fails says since when and why, and no longer when it works', async () => {
    await pump({ trouble: () => new DeliveryError('answers 500'), atWait: () => true });
    expect(state()).toMatchObject({ n: 0, failing_since: '2026-03-02T00:00:00.000Z', problem: 'answers 500' });
    await pump();
    expect(state()).toMatchObject({ n: 20, failing_since: null, problem: null });
  });

  it('is heard when it says when to come back, within five minutes', async () => {
    await pump({ trouble: (_batch, attempt) => (attempt === 1 ? new DeliveryError('answers 503', { retryAfterMs: 9_000 }) : undefined) });
    await pump({ trouble: () => new DeliveryError('answers 503', { retryAfterMs: 1e9 }), atWait: () => true });
    expect(waits[0]).toBe(9_000);
    writeRecords(paths, 1, { startMs: Date.parse('2026-03-01T13:00:00.000Z') });
    await pump({ trouble: () => new DeliveryError('answers 503', { retryAfterMs: 1e9 }), atWait: () => true });
    expect(waits.at(-1)).toBe(300_000);
  });

  it('gets smaller batches when it finds one too large, down to single records', async () => {
    await pump({ trouble: (batch) => (batch.length > 1 ? new DeliveryError('answers 413', { tooLarge: true }) : undefined), atWait: (ms) => ms === 500 });
    expect(got.flat()).toEqual(numbers(1, 20));
  });

  it('that finds a single record too large is not asked again and again at once', async () => {
    await pump({ trouble: () => new DeliveryError('answers 413', { tooLarge: true }), atWait: () => waits.length === 8 });
    expect(waits).toEqual([0, 0, 0, 0, 8_000, 16_000, 32_000, 60_000]);
    expect(state()).toMatchObject({ n: 0, problem: 'answers 413' });
  });

  it('gets no record again while its position cannot be stored, and reports the reason', async () => {
    let full = 0;
    const disk: Setting['disk'] = ({ n }) => (n === 20 && full++ < 3 ? Object.assign(new Error('disk'), { code: 'ENOSPC' }) : undefined);
    await pump({ disk, atWait: (ms) => ms === 500 });
    expect([got.flat(), waits]).toEqual([numbers(1, 20), [5_000, 5_000, 5_000, 500]]);
    expect(problems).toEqual([null, 'ENOSPC', 'ENOSPC', 'ENOSPC', null]);
    expect(state()).toMatchObject({ n: 20, delivered: 20, problem: null });
  });

  describe('that knows batches', () => {
    const later = (): void => writeRecords(paths, 5, { startMs: Date.parse('2026-03-01T13:00:00.000Z') });
    let tried: number[];
    beforeEach(() => {
      tried = [];
    });
    const trouble: Setting['trouble'] = (batch, attempt) => {
      tried.push(batch.length);
      return attempt === 1 ? new Error('the answer was lost') : undefined;
    };

    it('gets the same one again, also when there is more by then', async () => {
      await pump({
        repeatsBatches: true,
        trouble,
        atWait(ms) {
          if (tried.length === 1) later();
          return tried.length > 1 && ms === 500;
        },
      });
      expect([tried, got.flat()]).toEqual([[20, 20, 5], numbers(1, 25)]);
    });

    it('gets the same one again when the gateway was killed before it was answered', async () => {
      // Stores nothing after the start of the delivery, as a kill would.
      await expect(
        pump({
          repeatsBatches: true,
          trouble: (batch) => {
            tried.push(batch.length);
            throw new Error('killed');
          },
          disk: ({ failing_since: since }) => (since === null ? undefined : new Error('killed')),
          atWait: () => true,
        }),
      ).resolves.toBeUndefined();
      later();
      await pump({ repeatsBatches: true, trouble: (batch) => void tried.push(batch.length) });
      expect([tried, got.flat()]).toEqual([[20, 20, 5], numbers(1, 25)]);
    });
  });

  it('reports records that retention deleted before delivery, and continues after them', async () => {
    await pump({ trouble: (_batch, attempt) => (attempt > 1 ? new Error('away') : undefined), atWait: () => true });
    writeRecords(paths, 10, { startMs: Date.parse('2026-03-01T13:00:00.000Z') });
    using db = new DatabaseSync(paths.ledgerFile);
    db.exec('DELETE FROM records WHERE n <= 24');
    await pump();
    expect(breaks).toMatchObject([{ kind: 'pruned', missed: 4 }]);
    expect(got.flat()).toEqual([...numbers(1, 20), ...numbers(25, 30)]);
    expect(state()).toMatchObject({ missed: 4, delivered: 26 });
  });

  it('notices another ledger, and continues after the time of its last record', async () => {
    await pump();
    for (const file of [paths.ledgerFile, `${paths.ledgerFile}-wal`, `${paths.ledgerFile}-shm`, paths.ledgerKey]) rmSync(file, { force: true });
    writeRecords(paths, 7);
    writeRecords(paths, 3, { startMs: Date.parse('2026-03-01T13:00:00.000Z') });
    await pump();
    expect(breaks).toMatchObject([{ kind: 'replaced' }]);
    expect(got.flat()).toEqual([...numbers(1, 20), 8, 9, 10]);
  });

  it('of another node are not sent by this one', () => {
    const numbersOf = (node: string | null): readonly number[] => {
      const own = openSource(paths.ledgerFile, { node });
      const found = own.after(BEGINNING, 100).map(({ n }) => n);
      expect(own.end().n).toBe(found.at(-1) ?? 0);
      own.close();
      return found;
    };
    const [{ node } = { node: '' }] = source()
      .after(BEGINNING, 1)
      .map(({ record }) => record);
    expect([numbersOf(node), numbersOf(null), numbersOf('other')]).toEqual([numbers(1, 20), numbers(1, 20), []]);
  });

  it('that is under way when the end comes is waited for, and its records do not come again', async () => {
    const source = openSource(paths.ledgerFile);
    const stop = new AbortController();
    await runPump(
      {
        begin: () => BEGINNING,
        repeatsBatches: false,
        timeoutMs: 1_000,
        source,
        sink: {
          async deliver(batch, signal) {
            stop.abort();
            await new Promise((resolve) => setImmediate(resolve));
            signal.throwIfAborted();
            got.push(batch.map(({ record }) => record.seq));
            return { rejected: 0 };
          },
          close: async () => undefined,
        },
        encode: encoderOf({ format: 'record' }),
        events: false,
        load: state,
        save: (next) => writeState(paths.exports, 's', next),
        onBreak: () => undefined,
        onChange: () => undefined,
        clock: () => 0,
        random: () => 0.5,
        wait: async () => undefined,
      },
      stop.signal,
      new AbortController().signal,
    );
    source.close();
    expect([got.flat(), state()?.n]).toEqual([numbers(1, 20), 20]);
  });

  describe('of events of Prefect', () => {
    const negative = (from: number, to: number): number[] => numbers(from, to).map((number) => -number);
    const store = (from: number, to: number): void =>
      writeEvents(
        paths,
        numbers(from, to).map((number) => flowRunEvent(number, 1)),
      );

    it('gets each once, before the record that covers them, also one by one, after failures and restarts', async () => {
      store(1, 5);
      writeRecords(paths, 1, { startMs: Date.parse('2026-03-01T13:00:00.000Z') });
      store(6, 7);
      const all = [...numbers(1, 20), ...negative(1, 5), 21, 22, ...negative(6, 7), 23];
      // Too much at once; it fails in between; and it is ended in the middle of the events of a record.
      const trouble: Setting['trouble'] = (batch, attempt) =>
        batch.length > 2 ? new DeliveryError('answers 413', { tooLarge: true }) : attempt % 3 === 0 ? new Error('away') : undefined;
      for (const ended of [23, 26, 27]) await pump({ events: true, trouble, atWait: (ms) => got.flat().length >= ended && ms > 0 });
      await pump({ events: true });
      expect(got.flat()).toEqual(all);
      expect(state()).toMatchObject({ n: 23, event: 0, delivered: all.length });
    });

    it('twin: gets records alone when it is not asked for', async () => {
      store(1, 5);
      await pump();
      expect(got.flat()).toEqual(numbers(1, 21));
    });

    it('takes more of them than a batch has, whose place an earlier version wrote', async () => {
      store(1, 1_300);
      const { event: _, ...former } = { ...FRESH, n: 20, id: '', time: '' };
      using db = new DatabaseSync(paths.ledgerFile);
      const id = String(db.prepare('SELECT id FROM records WHERE n = 20').get()?.['id']);
      writeState(paths.exports, 's', { ...former, id } as SinkState);
      await pump({ events: true });
      expect(got.flat()).toEqual([...negative(1, 1_300), 21]);
    });

    it('continues with the next record when retention deleted one and the rest of its events', async () => {
      store(1, 5);
      store(6, 7);
      const trouble: Setting['trouble'] = (batch) =>
        batch.length > 1 ? new DeliveryError('answers 413', { tooLarge: true }) : got.length === 23 ? new Error('away') : undefined;
      await pump({ events: true, trouble, atWait: (ms) => ms > 0 });
      expect([got.flat(), state()?.n, state()?.event]).toEqual([[...numbers(1, 20), -1, -2, -3], 20, 3]);
      using db = new DatabaseSync(paths.ledgerFile);
      db.exec('DELETE FROM prefect_events WHERE n <= 5; DELETE FROM records WHERE n <= 21');
      await pump({ events: true });
      expect(got.flat().slice(23)).toEqual([-6, -7, 22]);
      expect(breaks).toMatchObject([{ kind: 'pruned', missed: 1 }]);
    });
  });

  it('whose position cannot be read does not start', async () => {
    await pump();
    using db = new DatabaseSync(paths.ledgerFile);
    db.exec('SELECT 1');
    writeState(paths.exports, 's', { n: -1 } as unknown as SinkState);
    await expect(pump()).rejects.toMatchObject({ code: 'export-state-unreadable' });
  });
});
