// Reads the ledger: filtered, oldest first, page by page, and new records as they arrive. Never writes.
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { LictorError } from '../../contract/error.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { recordOfRow, SELECT_COLUMNS } from './columns.ts';
import { addFunctions, whereByNumber, whereByTime } from './conditions.ts';
import { GATEWAY_ACTIONS } from './events.ts';
import { openToRead } from './open-to-read.ts';
import { createEventReader, type EventReader } from './prefect-events/read-events.ts';
import { createRunFacts, type RunFacts } from './run-facts.ts';

export interface AuditFilter {
  /** Lower case, hyphenated. */
  readonly flowRun?: string | undefined;
  readonly request?: string | undefined;
  readonly principal?: string | undefined;
  /** One of these. */
  readonly principals?: readonly string[] | undefined;
  /** A principal of the chain behind the sender, or its name without the provider. */
  readonly onBehalfOf?: string | undefined;
  /** The id of the credential, as records name it. */
  readonly credential?: string | undefined;
  /** An action, or all actions of a noun: `flow_runs.*`. */
  readonly action?: string | undefined;
  readonly decision?: 'allow' | 'deny' | undefined;
  readonly reason?: string | undefined;
  /** Both inclusive. */
  readonly status?: { readonly from: number; readonly to: number } | undefined;
  /** An address, or a network: `10.0.0.0/8`. */
  readonly address?: string | undefined;
  /** A path, or all paths below one: `/api/deployments/*`. */
  readonly path?: string | undefined;
  readonly deployment?: string | undefined;
  readonly resource?: string | undefined;
  /** Part of a name: of a principal, action, object, path, reason, service or program. Ignores the case of ASCII letters. */
  readonly text?: string | undefined;
  /** RFC 3339 in UTC with milliseconds, as in records. Inclusive. */
  readonly since?: string | undefined;
  /** Exclusive. */
  readonly until?: string | undefined;
  /** Only this many newest records. */
  readonly last?: number | undefined;
  /** Only this many oldest records. */
  readonly limit?: number | undefined;
  /** Only records after the one with this id, in the order of the answer: the next page. */
  readonly after?: string | undefined;
  /** Newest first; excludes `last` and `follow`. */
  readonly newestFirst?: boolean | undefined;
  /** Leaves out pages and files, polls of workers, and reads over the admin API, unless they were denied or failed. */
  readonly withoutRoutine?: boolean | undefined;
  /** Continues with new records until the signal aborts. */
  readonly follow?: { readonly signal: AbortSignal } | undefined;
}

export interface LedgerReader {
  /** Oldest first. With `follow`, later records come in the order of writing. */
  audit(filter: AuditFilter): AsyncIterable<LedgerRecord>;
  /** Some of the records after this number, in the order of writing, and the number to go on from. */
  changes(filter: AuditFilter, afterNumber: number): Changes;
  /** The number of the record with this id, or of the newest record. Throws `record-unknown`. */
  numberOf(id: string | null): number;
  record(id: string): LedgerRecord | undefined;
  /** Verified and asserted bindings. */
  forFlowRun(id: string): Promise<readonly LedgerRecord[]>;
  /** Events of the gateway itself: starts, dead edge workers, gaps. */
  gatewayEvents(since: string, until: string): Promise<readonly LedgerRecord[]>;
  /** Every principal that has a record. */
  principals(): readonly string[];
  readonly events: EventReader;
  readonly runs: RunFacts;
  close(): void;
}

export interface Changes {
  readonly records: readonly LedgerRecord[];
  readonly number: number;
}

/** Steps from one principal to the next in their index, so the cost depends on the number of principals, not of records. */
const PRINCIPALS_SQL = `WITH RECURSIVE each(principal) AS (SELECT min(principal) FROM records UNION ALL
  SELECT (SELECT min(principal) FROM records WHERE principal > each.principal) FROM each WHERE each.principal IS NOT NULL)
  SELECT principal FROM each WHERE principal IS NOT NULL`;

const PAGE = 500;
const FOLLOW_MS = 250;

/** Throws LictorError `ledger-missing`, `ledger-unreadable` or `state-newer`. `audit` throws `record-unknown` if `after` is unknown. */
export function openLedgerReader(file: string): LedgerReader {
  const db = openToRead(file);
  addFunctions(db);
  const audit = (filter: AuditFilter) => auditRows(db, filter);
  return {
    audit,
    changes: (filter, afterNumber) => changesOf(db, filter, afterNumber),
    numberOf: (id) => (id === null ? newestNumber(db) : placeOf(db, id)[1]),
    record: (id) => {
      const row = db.prepare(`SELECT ${SELECT_COLUMNS} FROM records WHERE id = ?`).get(id);
      return row === undefined ? undefined : recordOfRow(row);
    },
    forFlowRun: (id) => collect(audit({ flowRun: id })),
    async gatewayEvents(since, until) {
      const all = await Promise.all(Object.values(GATEWAY_ACTIONS).map((action) => collect(audit({ action, since, until }))));
      return all.flat().sort((a, b) => (a.time < b.time ? -1 : 1));
    },
    principals: () =>
      db
        .prepare(PRINCIPALS_SQL)
        .all()
        .map(({ principal }) => String(principal)),
    events: createEventReader(db),
    runs: createRunFacts(db),
    close: () => db.close(),
  };
}

/** One page in the order of the answer, after a place. Parameters: those of the filter, the highest number, then time and number of the place. */
export function pageSql(filter: AuditFilter): string {
  const [beyond, order] = filter.newestFirst === true ? ['<', 'ORDER BY time DESC, n DESC'] : ['>', 'ORDER BY time, n'];
  return `SELECT n, ${SELECT_COLUMNS} FROM records WHERE ${whereByTime(filter).sql} AND +n <= ? AND (time, n) ${beyond} (?, ?) ${order} LIMIT ${PAGE}`;
}

async function collect(records: AsyncIterable<LedgerRecord>): Promise<LedgerRecord[]> {
  const all: LedgerRecord[] = [];
  for await (const record of records) all.push(record);
  return all;
}

async function* auditRows(db: DatabaseSync, filter: AuditFilter): AsyncGenerator<LedgerRecord> {
  const newest = newestNumber(db);
  let left = filter.limit ?? Number.POSITIVE_INFINITY;
  for await (const record of upTo(db, filter, newest)) {
    yield record;
    left -= 1;
    if (left === 0) return;
  }
  if (filter.follow !== undefined) yield* after(db, filter, newest, filter.follow.signal);
}

function newestNumber(db: DatabaseSync): number {
  return Number(db.prepare('SELECT max(n) AS n FROM records').get()?.n ?? 0);
}

/** The place of a record in time order: its time, then its number. */
type Place = readonly [time: string, n: number];

const FIRST: Place = ['', 0];
/** Times are digits and punctuation, so this is after all of them. */
const AFTER_ALL: Place = ['~', 0];

/** A condition `time >= since` beside the place would make SQLite start there for every page. No record has the number 0. */
function later(a: Place, b: Place): Place {
  return a[0] < b[0] ? b : a;
}

function earlier(a: Place, b: Place): Place {
  return later(a, b) === a ? b : a;
}

/** Keyset pages: no read transaction stays open while the consumer is slow, so SQLite can checkpoint its WAL. */
async function* upTo(db: DatabaseSync, filter: AuditFilter, newest: number): AsyncGenerator<LedgerRecord> {
  const { values } = whereByTime(filter);
  const page = db.prepare(pageSql(filter));
  let [time, n] = startOf(db, filter, newest);
  for (;;) {
    const rows = page.all(...values, newest, time, n);
    for (const row of rows) yield recordOfRow(row);
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    [time, n] = [String(last.time), Number(last.n)];
  }
}

function startOf(db: DatabaseSync, filter: AuditFilter, newest: number): Place {
  if (filter.newestFirst === true) return earlier(filter.after === undefined ? AFTER_ALL : placeOf(db, filter.after), [filter.until ?? '~', 0]);
  const behind = later(filter.after === undefined ? FIRST : placeOf(db, filter.after), [filter.since ?? '', 0]);
  if (filter.last === undefined) return behind;
  const { sql, values } = whereByTime(filter);
  const nth = db
    .prepare(`SELECT time, n FROM records WHERE ${sql} AND +n <= ? AND (time, n) > (?, ?) ORDER BY time DESC, n DESC LIMIT 1 OFFSET ?`)
    .get(...values, newest, ...behind, filter.last);
  return nth === undefined ? behind : [String(nth.time), Number(nth.n)];
}

function placeOf(db: DatabaseSync, id: string): Place {
  const row = db.prepare('SELECT time, n FROM records WHERE id = ?').get(id);
  if (row === undefined) throw new LictorError('record-unknown', `There is no record ${id} (any more): go on from another one, or by time.`);
  return [String(row.time), Number(row.n)];
}

async function* after(db: DatabaseSync, filter: AuditFilter, newest: number, signal: AbortSignal): AsyncGenerator<LedgerRecord> {
  let n = newest;
  while (!signal.aborted) {
    const { records, number } = changesOf(db, filter, n);
    yield* records;
    n = number;
    if (records.length < PAGE) await wait(FOLLOW_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** One transaction writes records in the order of their numbers, so none appears before `number` later. */
function changesOf(db: DatabaseSync, filter: AuditFilter, afterNumber: number): Changes {
  const newest = newestNumber(db);
  const { sql, values } = whereByNumber(filter);
  const rows = db
    .prepare(`SELECT n, ${SELECT_COLUMNS} FROM records WHERE ${sql} AND n > ? AND n <= ? ORDER BY n LIMIT ${PAGE}`)
    .all(...values, afterNumber, newest);
  const number = rows.length < PAGE ? Math.max(newest, afterNumber) : Number(rows.at(-1)?.n);
  return { records: rows.map(recordOfRow), number };
}
