// A record as a row: the contract's fields in the contract's order, lists as JSON text.
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import type { LedgerRecord } from '../contract/record.ts';

type Kind = 'text' | 'integer' | 'real' | 'list';

/** Every field of CONTRACT 4, and `cache`, in this order: the order of the columns. What is hashed: chain/hash.ts. */
export const COLUMNS = {
  id: 'text',
  time: 'text',
  request_id: 'text',
  principal: 'text',
  principal_kind: 'text',
  idp: 'text',
  credential_id: 'text',
  on_behalf_of: 'list',
  source_ip: 'text',
  user_agent: 'text',
  method: 'text',
  path: 'text',
  action: 'text',
  resource_type: 'text',
  resource_id: 'text',
  decision: 'text',
  reason: 'text',
  policies: 'list',
  status: 'integer',
  bytes: 'integer',
  duration_ms: 'real',
  upstream_ms: 'real',
  path_taken: 'text',
  flow_run_id: 'text',
  task_run_id: 'text',
  deployment_id: 'text',
  run_binding: 'text',
  service: 'text',
  cache: 'text',
  mode: 'text',
  revision: 'integer',
  session_id: 'text',
  grant_id: 'text',
  approval_id: 'text',
  tool: 'text',
  node: 'text',
  seq: 'integer',
  prev_hash: 'text',
  hash: 'text',
} as const satisfies Record<keyof LedgerRecord, Kind>;

const NAMES = Object.keys(COLUMNS) as readonly (keyof LedgerRecord)[];
const REQUIRED: readonly string[] = ['id', 'time', 'on_behalf_of', 'policies', 'run_binding', 'node', 'seq'];
const SQL_TYPE: Record<Kind, string> = { text: 'TEXT', integer: 'INTEGER', real: 'REAL', list: 'TEXT' };

/** Column definitions for CREATE TABLE. */
export const COLUMN_SQL = NAMES.map((name) => `${name} ${SQL_TYPE[COLUMNS[name]]}${REQUIRED.includes(name) ? ' NOT NULL' : ''}`).join(', ');

/** An id that is there already is not an error: the row is skipped, and `changes` is 0. */
export const INSERT_SQL = `INSERT INTO records (${NAMES.join(', ')}) VALUES (${NAMES.map(() => '?').join(', ')}) ON CONFLICT DO NOTHING`;

export const SELECT_COLUMNS = NAMES.join(', ');

/** Later than the others: a ledger of an older Lictor lacks it. Its records stay as they were, since null is not hashed (chain/hash.ts). */
export function addCacheColumn(db: DatabaseSync): void {
  if (!hasCacheColumn(db)) db.exec('ALTER TABLE records ADD COLUMN cache TEXT');
}

/** For a connection that reads what was not opened for writing since. */
export function readAsNow(db: DatabaseSync): void {
  if (!hasCacheColumn(db)) db.exec('CREATE TEMP VIEW records AS SELECT *, NULL AS cache FROM main.records');
}

function hasCacheColumn(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM pragma_table_info('records', 'main') WHERE name = 'cache'").get() !== undefined;
}

/** Values in column order. */
export function rowValues(record: LedgerRecord): SQLInputValue[] {
  return NAMES.map((name) => sqlValue(record[name]));
}

/** A row read from the records table. Rows are written by `rowValues` only, so their types are trusted. */
export function recordOfRow(row: Record<string, SQLOutputValue>): LedgerRecord {
  const record: Record<string, unknown> = {};
  for (const name of NAMES) record[name] = COLUMNS[name] === 'list' ? parseList(row[name]) : plainValue(row[name]);
  return record as unknown as LedgerRecord;
}

function sqlValue(value: LedgerRecord[keyof LedgerRecord]): SQLInputValue {
  if (value === null || typeof value === 'number') return value;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A statement that reads whole numbers as they are does not stumble over one that somebody put in: rounded, it does not fit its hash. */
function plainValue(value: SQLOutputValue | undefined): unknown {
  return typeof value === 'bigint' ? Number(value) : (value ?? null);
}

function parseList(value: SQLOutputValue | undefined): readonly string[] {
  const text = typeof value === 'string' ? value : '[]';
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed.map(String) : [];
  } catch {
    return [text]; // Changed by hand: it is read, and does not fit its hash.
  }
}
