// Reads the ledger: filtered, oldest first, page by page, and on as it grows. Never writes.
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { LictorError } from '../../contract/error.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { recordOfRow, SELECT_COLUMNS } from './columns.ts';
import { addFunctions, whereByNumber, whereByTime } from './conditions.ts';
import { GATEWAY_ACTIONS } from './events.ts';
import { openToRead } from './open-to-read.ts';
import { createEventReader, type EventReader } from './prefect-events/read-events.ts';

export interface AuditFilter {
  /** Lower case, hyphenated. */
  readonly flowRun?: string | undefined;
  /** As refusals and `X-Request-Id` name it. */
  readonly request?: string | undefined;
  readonly principal?: string | undefined;
  /** An action, or all of a noun: `flow_runs.*`. */
  readonly action?: string | undefined;
  readonly decision?: 'allow' | 'deny' | undefined;
  readonly reason?: string | undefined;
  /** Both inclusive. */
  readonly status?: { readonly from: number; readonly to: number } | undefined;
  /** An address, or a network: `10.0.0.0/8`. */
  readonly address?: string | undefined;
  /** Whole, or what is below: `/api/deployments/*`. */
  readonly path?: string | undefined;
  readonly deployment?: string | undefined;
  readonly resource?: string | undefined;
  /** Somewhere in a name: of a principal, action, object, path, reason, service, program. In ASCII without regard to case. */
  readonly text?: string | undefined;
  /** RFC 3339 in UTC with milliseconds, as records carry it; inclusive. */
  readonly since?: string | undefined;
  /** The same; exclusive. */
  readonly until?: string | undefined;
  /** Only the newest so many of them. */
  readonly last?: number | undefined;
  /** Only the oldest so many of them. */
  readonly limit?: number | undefined;
  /** Only what comes behind the record with this id, in the order of time: the next page. */
  readonly after?: string | undefined;
  /** Goes on with new records until the signal aborts. */
  readonly follow?: { readonly signal: AbortSignal } | undefined;
}

export interface LedgerReader {
  /** Newest last. With `follow`, later records come in the order in which they were written. */
  audit(filter: AuditFilter): AsyncIterable<LedgerRecord>;
  /** All requests bound to this flow run, and asserted ones. */
  forFlowRun(id: string): Promise<readonly LedgerRecord[]>;
  /** What happened to the gateway itself between two times: starts, dead edge workers, gaps. */
  gatewayEvents(since: string, until: string): Promise<readonly LedgerRecord[]>;
  /** Every principal that has a record. */
  principals(): readonly string[];
  readonly events: EventReader;
  close(): void;
}

/** From one principal to the next in their index: as many steps as there are principals, however many records they have. */
const PRINCIPALS_SQL = `WITH RECURSIVE each(principal) AS (SELECT min(principal) FROM records UNION ALL
  SELECT (SELECT min(principal) FROM records WHERE principal > each.principal) FROM each WHERE each.principal IS NOT NULL)
  SELECT principal FROM each WHERE principal IS NOT NULL`;

const PAGE = 500;
const FOLLOW_MS = 250;

/** Throws LictorError `ledger-missing` when there is none yet, `ledger-unreadable`, `ledger-older` and `ledger-newer`. `audit` throws `record-unknown` when there is no record to go on from. */
export function openLedgerReader(file: string): LedgerReader {
  const db = openToRead(file);
  addFunctions(db);
  const audit = (filter: AuditFilter) => auditRows(db, filter);
  return {
    audit,
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
    close: () => db.close(),
  };
}

/** One page in the order of time, behind a place in it. Its parameters: those of the filter, the highest number, time and number of the place. */
export function pageSql(filter: AuditFilter): string {
  return `SELECT n, ${SELECT_COLUMNS} FROM records WHERE ${whereByTime(filter).sql} AND +n <= ? AND (time, n) > (?, ?) ORDER BY time, n LIMIT ${PAGE}`;
}

async function collect(records: AsyncIterable<LedgerRecord>): Promise<LedgerRecord[]> {
  const all: LedgerRecord[] = [];
  for await (const record of records) all.push(record);
  return all;
}

async function* auditRows(db: DatabaseSync, filter: AuditFilter): AsyncGenerator<LedgerRecord> {
  const newest = Number(db.prepare('SELECT max(n) AS n FROM records').get()?.n ?? 0);
  let left = filter.limit ?? Number.POSITIVE_INFINITY;
  for await (const record of upTo(db, filter, newest)) {
    yield record;
    left -= 1;
    if (left === 0) return;
  }
  if (filter.follow !== undefined) yield* after(db, filter, newest, filter.follow.signal);
}

/** A place in the order of records: time, then number. */
type Place = readonly [time: string, n: number];

const FIRST: Place = ['', 0];

/** A condition `time >= since` beside the place would make SQLite begin there for every page. No record has the number 0. */
function later(a: Place, b: Place): Place {
  return a[0] < b[0] ? b : a;
}

/** Keyset pages: no read transaction stays open while the consumer is slow, so the log of SQLite can be checkpointed. */
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
  const { sql, values } = whereByNumber(filter);
  const page = db.prepare(`SELECT n, ${SELECT_COLUMNS} FROM records WHERE ${sql} AND n > ? ORDER BY n LIMIT ${PAGE}`);
  let n = newest;
  while (!signal.aborted) {
    const rows = page.all(...values, n);
    for (const row of rows) yield recordOfRow(row);
    n = Number(rows.at(-1)?.n ?? n);
    if (rows.length < PAGE) await wait(FOLLOW_MS, undefined, { signal }).catch(() => undefined); // Aborted: the loop ends.
  }
}
