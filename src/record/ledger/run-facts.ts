// What the ledger has on flow runs by number, so that a reader gets what was written since its last answer, and the newest runs.
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { PrefectEvent } from '../../contract/prefect-event.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { recordOfRow, SELECT_COLUMNS } from './columns.ts';
import { EVENT_COLUMNS, eventOfRow, hasEvents, OF_PREFECT } from './prefect-events/table.ts';

/** The highest numbers of both tables. */
export interface Marks {
  readonly record: number;
  readonly event: number;
}

export interface NumberedRecord {
  readonly n: number;
  readonly record: LedgerRecord;
}

/** A run and one of its task runs, or null, that has new events. */
export interface Touched {
  readonly flowRunId: string;
  readonly taskRunId: string | null;
}

export interface TasksFrom {
  readonly ids: readonly string[];
  /** The time of the last event that was read. Null: all were read. */
  readonly readTo: string | null;
}

/** A run at its newest state, or at its newest request if no event of it is stored. */
export interface SeenRun {
  readonly id: string;
  readonly time: string;
  /** Null: no event is stored. */
  readonly event: PrefectEvent | null;
  readonly deploymentId: string | null;
}

export interface RunsQuestion {
  /** Runs that were last seen before this time. */
  readonly before: string;
  /** Part of the name, or the start of the id. */
  readonly text: string;
  /** False: only by id. */
  readonly byName: boolean;
  /** The type of the newest state: `FAILED`. Empty: any. */
  readonly state: string;
  readonly most: number;
}

export interface SeenRuns {
  /** The newest first. */
  readonly runs: readonly SeenRun[];
  /** For the next page. Null: there is none. */
  readonly before: string | null;
}

export interface RunFacts {
  marks(): Marks;
  /** In the order of writing. */
  recordsAfter(n: number, runs: readonly string[], most: number): readonly NumberedRecord[];
  /** What the events between these numbers are about. */
  touchedBetween(after: number, upTo: number, runs: readonly string[]): readonly Touched[];
  /** The task runs of a run with events from this time on, in at most `most` of them. */
  tasksFrom(run: string, time: string, most: number): TasksFrom;
  /** The events of a run in time order, of its task runs only those of `tasks`. */
  eventsOf(run: string, tasks: readonly string[]): readonly PrefectEvent[];
  /** The last requests that cancel a run, the oldest first. */
  cancels(run: string, most: number): readonly LedgerRecord[];
  seenBefore(question: RunsQuestion): SeenRuns;
}

/** One page of runs reads at most this many rows. */
const MOST_READ = 20_000;

export function createRunFacts(db: DatabaseSync): RunFacts {
  const newest = (table: string): number => Number(db.prepare(`SELECT max(n) AS n FROM ${table}`).get()?.['n'] ?? 0);
  const events = hasEvents(db);
  return {
    marks: () => ({ record: newest('records'), event: events ? newest('prefect_events') : 0 }),
    recordsAfter(n, runs, most) {
      const sql = `SELECT n, ${SELECT_COLUMNS} FROM records WHERE n > ? AND +flow_run_id IN (SELECT value FROM json_each(?)) ORDER BY n LIMIT ?`;
      const rows = db.prepare(sql).all(n, JSON.stringify(runs), most);
      return rows.map((row) => ({ n: Number(row['n']), record: recordOfRow(row) }));
    },
    touchedBetween(after, upTo, runs) {
      if (!events) return [];
      const sql = `SELECT DISTINCT flow_run_id, task_run_id FROM prefect_events
        WHERE n > ? AND n <= ? AND +flow_run_id IN (SELECT value FROM json_each(?))`;
      const rows = db.prepare(sql).all(after, upTo, JSON.stringify(runs));
      return rows.map((row) => ({ flowRunId: String(row['flow_run_id']), taskRunId: textOf(row['task_run_id']) }));
    },
    tasksFrom(run, time, most) {
      if (!events) return { ids: [], readTo: null };
      // Events have microseconds: without its Z, a time is less than all of them.
      const sql =
        'SELECT occurred, task_run_id AS id FROM prefect_events WHERE flow_run_id = ? AND occurred >= ? AND task_run_id IS NOT NULL ORDER BY occurred LIMIT ?';
      const rows = db.prepare(sql).all(run, time.replace('Z', ''), most);
      return { ids: [...new Set(rows.map(({ id }) => String(id)))], readTo: rows.length < most ? null : textOf(rows.at(-1)?.['occurred']) };
    },
    eventsOf(run, tasks) {
      if (!events) return [];
      const sql = `SELECT ${EVENT_COLUMNS} FROM prefect_events
        WHERE flow_run_id = ? AND (task_run_id IS NULL OR task_run_id IN (SELECT value FROM json_each(?))) ORDER BY occurred, n`;
      return db.prepare(sql).all(run, JSON.stringify(tasks)).map(eventOfRow);
    },
    cancels(run, most) {
      const sql = `SELECT ${SELECT_COLUMNS} FROM records WHERE flow_run_id = ? AND action = 'flow_runs.cancel' ORDER BY time DESC, n DESC LIMIT ?`;
      return db.prepare(sql).all(run, most).map(recordOfRow).reverse();
    },
    seenBefore: (question) => page(db, events && newest('prefect_events') > 0 ? IN_EVENTS : IN_RECORDS, question),
  };
}

interface Place {
  readonly seen: string;
  readonly horizon: string;
}

const IS_SOUGHT = '(substr(flow_run_id, 1, length(:text)) = :text OR (:byName AND instr(lower(resource_name), :text) > 0))';
const IS_STATE = "event GLOB 'prefect.flow-run.*' AND state_name IS NOT NULL";

/** A run stands at its newest state only, so no page repeats it. */
const IN_EVENTS: Place = {
  seen: `SELECT occurred AS time, ${EVENT_COLUMNS} FROM (SELECT n, ${EVENT_COLUMNS} FROM prefect_events
      WHERE occurred < :before AND ${OF_PREFECT} ORDER BY occurred DESC LIMIT ${MOST_READ}) AS own
    WHERE ${IS_STATE} AND resource_id = 'prefect.flow-run.' || flow_run_id AND (:state = '' OR state_type = :state) AND ${IS_SOUGHT}
      AND NOT EXISTS (SELECT 1 FROM prefect_events AS later WHERE later.flow_run_id = own.flow_run_id AND later.occurred >= own.occurred
        AND (later.occurred, later.n) > (own.occurred, own.n) AND later.${IS_STATE.replace('AND ', 'AND later.')})
    ORDER BY occurred DESC LIMIT :most`,
  horizon: `SELECT occurred AS time FROM prefect_events WHERE occurred < ? AND ${OF_PREFECT} ORDER BY occurred DESC LIMIT 1 OFFSET ${MOST_READ - 1}`,
};

/** For a gateway that gets no events of Prefect. */
const IN_RECORDS: Place = {
  seen: `SELECT time, flow_run_id, deployment_id, NULL AS resource_name FROM (SELECT n, time, flow_run_id, deployment_id, run_binding FROM records
      WHERE time < :before ORDER BY time DESC LIMIT ${MOST_READ}) AS own
    WHERE :state = '' AND run_binding = 'verified' AND flow_run_id IS NOT NULL AND ${IS_SOUGHT.replace('resource_name', 'NULL')}
      AND NOT EXISTS (SELECT 1 FROM records AS later WHERE later.flow_run_id = own.flow_run_id AND later.run_binding = 'verified'
        AND later.time >= own.time AND (later.time, later.n) > (own.time, own.n))
    ORDER BY time DESC LIMIT :most`,
  horizon: `SELECT time FROM records WHERE time < ? ORDER BY time DESC LIMIT 1 OFFSET ${MOST_READ - 1}`,
};

/** Runs of one time stay together, so a page may be longer. */
function page(db: DatabaseSync, place: Place, question: RunsQuestion): SeenRuns {
  const { before, text, byName, state, most } = question;
  const rows = db.prepare(place.seen).all({ before, text: text.toLowerCase(), byName: Number(byName), state, most: most + 1 });
  const over = rows[most]?.['time'];
  if (over === undefined) return { runs: rows.map(seenRun), before: textOf(db.prepare(place.horizon).get(before)?.['time']) };
  const whole = rows.filter(({ time }) => String(time) > String(over));
  // `~` is greater than every character of a time: the next page begins with this one.
  return whole.length === 0 ? page(db, place, { ...question, most: most * 2 }) : { runs: whole.map(seenRun), before: `${String(over)}~` };
}

function seenRun(row: Record<string, SQLOutputValue>): SeenRun {
  const event = typeof row['event'] === 'string' ? eventOfRow(row) : null;
  return { id: String(row['flow_run_id']), time: String(row['time']), event, deploymentId: textOf(row['deployment_id']) };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
