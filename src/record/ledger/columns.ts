// A record as a row: its fields in a fixed order, lists as JSON text.
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import type { LedgerRecord } from '../../contract/record.ts';

type Kind = 'text' | 'integer' | 'real' | 'list' | 'json';

/** Every field of a record, in the order of the columns. chain/hash.ts says which are hashed. */
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
  grants: 'json',
  redactions: 'integer',
  node: 'text',
  seq: 'integer',
  prev_hash: 'text',
  hash: 'text',
} as const satisfies Record<keyof LedgerRecord, Kind>;

const NAMES = Object.keys(COLUMNS) as readonly (keyof LedgerRecord)[];
const REQUIRED: readonly string[] = ['id', 'time', 'on_behalf_of', 'policies', 'run_binding', 'node', 'seq'];
const SQL_TYPE: Record<Kind, string> = { text: 'TEXT', integer: 'INTEGER', real: 'REAL', list: 'TEXT', json: 'TEXT' };

/** Column definitions for CREATE TABLE. */
export const COLUMN_SQL = NAMES.map((name) => `${name} ${SQL_TYPE[COLUMNS[name]]}${REQUIRED.includes(name) ? ' NOT NULL' : ''}`).join(', ');

/** A known id is no error: the row is skipped, and `changes` is 0. */
export const INSERT_SQL = `INSERT INTO records (${NAMES.join(', ')}) VALUES (${NAMES.map(() => '?').join(', ')}) ON CONFLICT DO NOTHING`;

export const SELECT_COLUMNS = NAMES.join(', ');

/** Values in column order. */
export function rowValues(record: LedgerRecord): SQLInputValue[] {
  return NAMES.map((name) => sqlValue(record[name]));
}

/** Only `rowValues` writes these rows, so their types are trusted. */
export function recordOfRow(row: Record<string, SQLOutputValue>): LedgerRecord {
  const record: Record<string, unknown> = {};
  for (const name of NAMES) record[name] = READ[COLUMNS[name]](row[name]);
  return record as unknown as LedgerRecord;
}

const READ: Readonly<Record<Kind, (value: SQLOutputValue | undefined) => unknown>> = {
  text: plainValue,
  integer: plainValue,
  real: plainValue,
  list: parseList,
  json: (value) => (value == null ? null : parseJson(value)),
};

function sqlValue(value: LedgerRecord[keyof LedgerRecord]): SQLInputValue {
  if (value === null || typeof value === 'number') return value;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A reader with big integers accepts a number that a person put in. Rounded, it does not fit its hash. */
function plainValue(value: SQLOutputValue | undefined): unknown {
  return typeof value === 'bigint' ? Number(value) : (value ?? null);
}

function parseList(value: SQLOutputValue | undefined): readonly string[] {
  const parsed = parseJson(value ?? '[]');
  if (typeof parsed === 'string') return [parsed];
  return Array.isArray(parsed) ? parsed.map(String) : [];
}

/** Text changed by hand may be no JSON. Returned unchanged, it does not fit its hash. */
function parseJson(value: SQLOutputValue): unknown {
  const text = typeof value === 'string' ? value : '[]';
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
