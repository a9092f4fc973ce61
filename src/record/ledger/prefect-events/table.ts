// Events of Prefect as rows, and as the text that is hashed.
import { createHash } from 'node:crypto';
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import type { PrefectEvent } from '../../../contract/prefect-event.ts';

/** In the order of RFC 8785 (UTF-16 code units). `related` is a list of flat objects, written likewise. */
const NAMES: readonly (keyof PrefectEvent)[] = [
  'deployment_id',
  'event',
  'flow_run_id',
  'follows',
  'id',
  'occurred',
  'parent_task_run_id',
  'received',
  'related',
  'resource_id',
  'resource_name',
  'state_name',
  'state_type',
  'task_run_id',
];
const RELATED = ['id', 'name', 'role'];

const REQUIRED: readonly string[] = ['event', 'occurred', 'related', 'resource_id'];
const columns = NAMES.filter((name) => name !== 'id').map((name) => `${name} TEXT${REQUIRED.includes(name) ? ' NOT NULL' : ''}`);

/** Events that Prefect sent. timeline/feed/parents.ts derives the others. */
export const OF_PREFECT = "event GLOB 'prefect.*'";

/**
 * `n` is never used twice, because a record of the chain covers a range of numbers. Two nodes may store one event while one takes over from the other: the
 * second copy is in `repeated_events`. `event_batches` has the numbers here of a batch that another node stored under its own numbers.
 */
export const EVENT_TABLES = `
  CREATE TABLE prefect_events (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, ${columns.join(', ')}) STRICT;
  CREATE INDEX prefect_events_flow_run ON prefect_events (flow_run_id, occurred) WHERE flow_run_id IS NOT NULL;
  CREATE INDEX prefect_events_parent ON prefect_events (parent_task_run_id) WHERE parent_task_run_id IS NOT NULL;
  CREATE INDEX prefect_events_name ON prefect_events (resource_name) WHERE task_run_id IS NULL;
  CREATE INDEX prefect_events_occurred ON prefect_events (occurred) WHERE ${OF_PREFECT};
  CREATE TABLE repeated_events (n INTEGER PRIMARY KEY, id TEXT NOT NULL, ${columns.join(', ')}) STRICT;
  CREATE TABLE event_batches (node TEXT, seq INTEGER, first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (node, seq)) STRICT, WITHOUT ROWID;`;

export const EVENT_COLUMNS = NAMES.join(', ');

/** False: the table was removed by hand. Verification reports its events, and readers find none. */
export function hasEvents(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'prefect_events'").get() !== undefined;
}

/** A known id is skipped: `changes` is 0. */
export const INSERT_EVENT = `INSERT INTO prefect_events (${EVENT_COLUMNS}) VALUES (${NAMES.map(() => '?').join(', ')}) ON CONFLICT (id) DO NOTHING`;

const insertAt = (table: string) => `INSERT INTO ${table} (n, ${EVENT_COLUMNS}) VALUES (?, ${NAMES.map(() => '?').join(', ')})`;
/** With a given number. A known id is skipped. */
export const INSERT_EVENT_AT = `${insertAt('prefect_events')} ON CONFLICT (id) DO NOTHING`;
export const INSERT_REPEATED = insertAt('repeated_events');

export function eventValues(event: PrefectEvent): SQLInputValue[] {
  return NAMES.map((name) => {
    const value = event[name];
    return value === null || typeof value === 'string' ? (value?.toWellFormed() ?? null) : JSON.stringify(value, RELATED).toWellFormed();
  });
}

/** Only `eventValues` writes these rows. The chain shows foreign changes. */
export function eventOfRow(row: Record<string, SQLOutputValue>): PrefectEvent {
  const event: Record<string, unknown> = {};
  for (const name of NAMES) event[name] = name === 'related' ? parseRelated(row[name]) : (row[name] ?? null);
  return event as unknown as PrefectEvent;
}

function parseRelated(value: SQLOutputValue | undefined): unknown {
  try {
    return typeof value === 'string' ? JSON.parse(value) : [];
  } catch {
    return []; // Changed by hand.
  }
}

/** The digest of a batch: over the canonical JSON of each row, one a line. */
export interface EventDigest {
  add(row: Record<string, SQLOutputValue | SQLInputValue>): void;
  /** SHA-256, lower-case hex. */
  hex(): string;
}

/** Uses the values of SQLite: `related` is text there, and is hashed as that text. */
export function createEventDigest(): EventDigest {
  const hash = createHash('sha256');
  return {
    add: (row) => void hash.update(`${JSON.stringify(row, [...NAMES])}\n`),
    hex: () => hash.digest('hex'),
  };
}

export function rowOf(values: readonly SQLInputValue[]): Record<string, SQLInputValue> {
  return Object.fromEntries(NAMES.map((name, index) => [name, values[index] ?? null]));
}
