import { DatabaseSync } from 'node:sqlite';
import canonicalize from 'canonicalize';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../../../config/state-dir.ts';
import type { PrefectEvent } from '../../../contract/prefect-event.ts';
import { createCatalogue } from '../../../prefect/catalog/catalogue.ts';
import { verifyStore } from '../chain/chain.fixture.ts';
import { sha256 } from '../chain/hash.ts';
import { recordOfRow } from '../columns.ts';
import { type Core, createCore } from '../core.ts';
import { EVENTS_STORED } from '../events.ts';
import { END_MS, tempState, workerSetup } from '../lines.fixture.ts';
import { openLedgerReader } from '../query.ts';
import { openEventCounts } from './count-events.ts';
import { flowRunEvent, MARK, uuid } from './event.fixture.ts';

const HOUR_MS = 3_600_000;

describe('stored events of Prefect', () => {
  let paths: StatePaths;
  let remove: () => void;
  let nowMs: number;
  let core: Core | undefined;
  beforeEach(() => {
    ({ paths, remove } = tempState());
    nowMs = END_MS;
    core = undefined;
  });
  afterEach(() => {
    core?.close();
    remove();
  });

  function start(retentionMs: number | null = null): Core {
    core = createCore({
      setup: { ...workerSetup(paths, 'session', nowMs), retentionMs },
      routes: createCatalogue(),
      clock: () => nowMs,
      onHealth: () => undefined,
    });
    return core;
  }
  function store(...events: readonly PrefectEvent[]) {
    expect((core ?? start()).store({ kind: 'events', batch: { events, mark: MARK } })).toBeNull();
  }
  function sql(text: string): readonly Record<string, unknown>[] {
    using db = new DatabaseSync(paths.ledgerFile);
    return db.prepare(text).all();
  }
  const batches = () =>
    sql(`SELECT * FROM records WHERE action = '${EVENTS_STORED}' ORDER BY seq`).map((row) => recordOfRow(row as Parameters<typeof recordOfRow>[0]));
  function reader<T>(read: (events: ReturnType<typeof openLedgerReader>['events']) => T): T {
    const opened = openLedgerReader(paths.ledgerFile);
    try {
      return read(opened.events);
    } finally {
      opened.close();
    }
  }

  it('are read back as they came, and once, however often they come', () => {
    const events = [flowRunEvent(1, 100), flowRunEvent(2, 100, { state_name: 'Completed' }), flowRunEvent(3, 200)];
    store(...events.slice(0, 2));
    store(...events);
    expect(reader((read) => [...read.forFlowRun(uuid(100)), ...read.forFlowRun(uuid(200))])).toEqual(events);
    expect(batches()).toHaveLength(2);
    expect(reader((read) => read.mark())).toEqual(MARK);
  });

  it('are counted by the time in which they occurred, without what was learned from them', () => {
    store(flowRunEvent(1, 100), flowRunEvent(999, 100), flowRunEvent(2_000, 100), flowRunEvent(5_000, 100));
    store(flowRunEvent(1_500, 100, { event: 'lictor.task-run.is-of-flow-run' }));
    const counts = openEventCounts(paths.ledgerFile);
    const at = (ms: number) => Date.parse('2026-03-01T12:00:00.000Z') + ms;
    // Both ends of a time are in it, in whole milliseconds, as Prefect is asked: 999 microseconds are no millisecond.
    expect([counts.count(at(0), at(10)), counts.count(at(0), at(1)), counts.count(at(1), at(2)), counts.count(at(3), at(4))]).toEqual([4, 2, 1, 0]);
    expect(counts.beganMs()).toBe(nowMs);
    counts.close();
  });

  it('leave no record when a batch brings nothing new', () => {
    store(flowRunEvent(1, 100));
    store(flowRunEvent(1, 100));
    store();
    expect(batches()).toHaveLength(1);
  });

  it('leave one record a batch, with their number and the digest of their canonical JSON', () => {
    const events = [flowRunEvent(1, 100), flowRunEvent(2, 100, { received: '2026-03-01T12:00:00.000001Z' })];
    store(...events);
    // In the stored row `related` is text: canonical JSON by itself.
    const text = events.map((event) => `${canonicalize({ ...event, related: canonicalize(event.related) })}\n`).join('');
    expect(batches().map(({ resource_id, tool }) => [resource_id, tool])).toEqual([['1-2', `2 events, sha256 ${sha256(text)}`]]);
  });

  it("are in the order of Prefect's times, within a millisecond too", () => {
    store(flowRunEvent(7, 100), flowRunEvent(3, 100), flowRunEvent(5, 100));
    expect(reader((read) => read.forFlowRun(uuid(100))).map(({ id }) => id)).toEqual([uuid(3), uuid(5), uuid(7)]);
  });

  it('say which runs a run started, and in which run a task is', () => {
    const task = { event: 'prefect.task-run.Running', resource_id: `prefect.task-run.${uuid(50)}`, task_run_id: uuid(50) };
    store(flowRunEvent(1, 100), flowRunEvent(2, 100, task), flowRunEvent(3, 200, { parent_task_run_id: uuid(50) }));
    expect(reader((read) => read.childrenOf(uuid(100)))).toEqual([uuid(200)]);
    expect(reader((read) => read.childrenOf(uuid(200)))).toEqual([]);
    expect(reader((read) => read.flowRunOfTask(uuid(50)))).toBe(uuid(100));
    expect(reader((read) => read.flowRunOfTask(uuid(51)))).toBeUndefined();
  });

  describe('are examined by audit verify', () => {
    beforeEach(() => {
      store(flowRunEvent(1, 100), flowRunEvent(2, 100));
      store(flowRunEvent(3, 100), flowRunEvent(4, 100), flowRunEvent(5, 100));
      core?.close();
      core = undefined;
    });
    const problems = () => verifyStore(paths).problems.map(({ kind, message }) => `${kind}: ${message}`);

    it('which finds nothing when nothing was changed', () => {
      expect(problems()).toEqual([]);
    });

    it.each([
      ["UPDATE prefect_events SET state_name = 'Completed' WHERE n = 4", 'edited', 'events 3 to 5'],
      ["UPDATE prefect_events SET related = '[]' WHERE n = 1", 'edited', 'events 1 to 2'],
      ["UPDATE prefect_events SET related = 'no json' WHERE n = 1", 'edited', 'events 1 to 2'],
      ['DELETE FROM prefect_events WHERE n = 2', 'removed', '1 of the events 1 to 2'],
      ['DELETE FROM prefect_events', 'removed', '2 of the events 1 to 2'],
      ['DROP TABLE prefect_events', 'removed', '2 of the events 1 to 2'],
      ["INSERT INTO prefect_events (n, id, event, occurred, related, resource_id) VALUES (6, 'x', 'y', 'z', '[]', 'r')", 'inserted', 'event 6 of Prefect'],
      ["INSERT INTO prefect_events (n, id, event, occurred, related, resource_id) VALUES (-3, 'x', 'y', 'z', '[]', 'r')", 'inserted', 'event -3 of Prefect'],
      ['UPDATE prefect_events SET n = 9 WHERE n = 3', 'removed', '1 of the events 3 to 5'],
      ["UPDATE records SET tool = replace(tool, '2 events', '1 events') WHERE tool LIKE '2 events%'", 'edited', 'does not fit its hash'],
      ["UPDATE records SET resource_id = 'none' WHERE tool LIKE '2 events%'", 'edited', 'does not fit its hash'],
    ])('which finds %s', (statement, kind, words) => {
      sql(statement);
      const found = problems();
      expect(
        found.some((problem) => problem.startsWith(`${kind}: `) && problem.includes(words)),
        found.join('\n'),
      ).toBe(true);
    });
  });

  it('are deleted with the segment whose record covers them, and not before', () => {
    const running = start(HOUR_MS);
    nowMs += 0.5 * HOUR_MS;
    store(flowRunEvent(1, 100), flowRunEvent(2, 100));
    nowMs += 0.5 * HOUR_MS;
    // The first segment ends here.
    running.tick();
    store(flowRunEvent(3, 100));
    running.tick();
    expect(sql('SELECT n FROM prefect_events')).toHaveLength(3);
    nowMs += 0.75 * HOUR_MS;
    running.tick();
    expect(sql('SELECT n FROM prefect_events').map(({ n }) => n)).toEqual([3]);
    expect(verifyStore(paths).problems).toEqual([]);
    // What was let go does not come back under a number that was used.
    store(flowRunEvent(9, 100));
    expect(sql('SELECT max(n) AS n FROM prefect_events')).toEqual([{ n: 4 }]);
  });

  describe('are held against their digest before they go', () => {
    /** Two batches in a segment that is over and old; nothing is let go yet. */
    function twoBatches(): Core {
      const running = start(HOUR_MS);
      store(flowRunEvent(1, 100), flowRunEvent(2, 100));
      store(flowRunEvent(3, 100), flowRunEvent(4, 100));
      nowMs += HOUR_MS;
      running.tick();
      store(flowRunEvent(5, 100));
      expect(sql('SELECT n FROM prefect_events')).toHaveLength(5);
      return running;
    }
    const stopped = () => sql("SELECT resource_type, resource_id FROM records WHERE action = 'ledger.prune_stopped'");
    const kept = () => [sql('SELECT n FROM prefect_events').length, sql('SELECT min(seq) AS seq FROM records')[0]?.['seq']];
    /** Retention after which everything but the last segment is old. */
    function later(running: Core): void {
      nowMs += 1.5 * HOUR_MS;
      for (let tick = 0; tick < 4; tick += 1) running.tick();
    }

    it('and go where nothing was changed', () => {
      const running = twoBatches();
      later(running);
      expect(stopped()).toEqual([]);
      expect(sql('SELECT n FROM prefect_events WHERE n <= 4')).toEqual([]);
      expect(verifyStore(paths).problems).toEqual([]);
    });

    it.each([
      ['edited', "UPDATE prefect_events SET state_name = 'Completed' WHERE n = 4"],
      ['taken away', 'DELETE FROM prefect_events WHERE n = 3'],
      ['all taken away', 'DELETE FROM prefect_events WHERE n IN (3, 4)'],
      ['put in another place', 'UPDATE prefect_events SET n = 9 WHERE n = 3'],
    ])('of one that was %s, nothing of its segment is deleted: the ledger records which record covers it', (_how, statement) => {
      const running = twoBatches();
      const [, second] = batches();
      sql(statement);
      const before = kept();
      later(running);
      expect(kept()).toEqual(before);
      expect(stopped()).toEqual([{ resource_type: 'EventsOfRecord', resource_id: String(second?.seq) }]);
      expect(verifyStore(paths).problems.map(({ message }) => message)).toContainEqual(expect.stringContaining(`record ${second?.seq} of`));
    });

    it('a request that reads like the record of a batch is none', () => {
      const running = twoBatches();
      const record = { time: new Date(nowMs).toISOString(), action: 'flows.read', resource_id: '1-2', tool: `2 events, sha256 ${'0'.repeat(64)}` };
      expect(running.run([{ kind: 'append', record }])).toEqual([null]);
      later(running);
      expect(stopped()).toEqual([]);
      expect(verifyStore(paths).problems).toEqual([]);
    });
  });
});
