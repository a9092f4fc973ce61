// Reads the stored events of Prefect: of one run, of the runs that it started, of one record, and how far they are stored. Never writes.
import { DatabaseSync } from 'node:sqlite';
import type { EventsMark, PrefectEvent } from '../../../contract/prefect-event.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import { createRangeOf } from './batch-rows.ts';
import { MARK_KEY } from './store-events.ts';
import { EVENT_COLUMNS, eventOfRow, hasEvents } from './table.ts';

export interface EventReader {
  /** Events of this run and its task runs, in time order. */
  forFlowRun(id: string): readonly PrefectEvent[];
  /** The flow runs that a task run of this run started. */
  childrenOf(id: string): readonly string[];
  /** The flow run of this task run. */
  flowRunOfTask(taskRunId: string): string | undefined;
  /** Ids and names of flow runs or deployments, the newest first: all of them, or those with this name. */
  named(kind: NamedKind, name?: string): readonly Named[];
  mark(): EventsMark | undefined;
}

export type NamedKind = 'flow-run' | 'deployment';

export interface Named {
  readonly id: string;
  readonly name: string;
}

/** Enough for a suggestion. */
const MOST_NAMES = 5_000;

export function createEventReader(db: DatabaseSync): EventReader {
  if (!hasEvents(db)) return NONE;
  const ofRun = db.prepare(`SELECT ${EVENT_COLUMNS} FROM prefect_events WHERE flow_run_id = ? ORDER BY occurred, n`);
  const children = db.prepare(
    `SELECT DISTINCT child.flow_run_id AS id FROM prefect_events AS own JOIN prefect_events AS child ON child.parent_task_run_id = own.task_run_id
     WHERE own.flow_run_id = ? AND own.task_run_id IS NOT NULL AND child.flow_run_id IS NOT NULL AND child.flow_run_id <> own.flow_run_id ORDER BY id`,
  );
  const ofTask = db.prepare('SELECT flow_run_id AS id FROM prefect_events WHERE resource_id = ? AND flow_run_id IS NOT NULL LIMIT 1');
  const select = 'SELECT resource_id AS id, resource_name AS name FROM prefect_events WHERE resource_id > ? AND resource_id < ?';
  const newest = `GROUP BY resource_id, resource_name ORDER BY max(n) DESC LIMIT ${MOST_NAMES}`;
  const names = db.prepare(`${select} AND resource_name IS NOT NULL ${newest}`);
  const withName = db.prepare(`${select} AND resource_name = ? AND task_run_id IS NULL ${newest}`);
  return {
    forFlowRun: (id) => ofRun.all(id).map(eventOfRow),
    childrenOf: (id) => children.all(id).map((row) => String(row['id'])),
    flowRunOfTask: (task) => textOf(ofTask.get(`prefect.task-run.${task}`)?.['id']),
    named: (kind, name) => {
      const rows = name === undefined ? names.all(`prefect.${kind}.`, `prefect.${kind}/`) : withName.all(`prefect.${kind}.`, `prefect.${kind}/`, name);
      return rows.map((row) => ({ id: String(row['id']).slice(`prefect.${kind}.`.length), name: String(row['name']) }));
    },
    mark: () => parseMark(textOf(db.prepare('SELECT value FROM meta WHERE key = ?').get(MARK_KEY)?.['value'])),
  };
}

/** Undefined: there is none, or the ledger cannot be read now. */
export function readEventsMark(ledgerFile: string): EventsMark | undefined {
  try {
    using db = new DatabaseSync(ledgerFile, { readOnly: true, timeout: 2_000 });
    return createEventReader(db).mark();
  } catch {
    return undefined;
  }
}

const NONE: EventReader = { forFlowRun: () => [], childrenOf: () => [], flowRunOfTask: () => undefined, named: () => [], mark: () => undefined };

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Written by the gateway. A changed mark is ignored. */
export function parseMark(text: string | undefined): EventsMark | undefined {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    const isMark = typeof value === 'object' && value !== null && 'position' in value && 'at' in value && typeof value.position === 'string';
    return isMark && !Number.isNaN(Date.parse(String(value.position))) ? (value as EventsMark) : undefined;
  } catch {
    return undefined;
  }
}

export interface NumberedEvent {
  readonly n: number;
  readonly event: PrefectEvent;
}

/** At most `most` events after number `after`, in their order. Empty after retention deleted them. */
export function createRangeReader(db: DatabaseSync): (record: LedgerRecord, after: number, most: number) => readonly NumberedEvent[] {
  if (!hasEvents(db)) return () => [];
  const rows = db.prepare(`SELECT n, ${EVENT_COLUMNS} FROM prefect_events WHERE n BETWEEN ? AND ? AND n > ? ORDER BY n LIMIT ?`);
  const rangeOf = createRangeOf(db);
  return (record, after, most) => {
    const range = rangeOf(record);
    if (range === undefined) return [];
    return rows.all(range.first, range.last, after, most).map((row) => ({ n: Number(row['n']), event: eventOfRow(row) }));
  };
}
