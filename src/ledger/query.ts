// Reads the ledger: filtered, oldest first, page by page, and on as it grows. Never writes.
import { existsSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { LictorError } from '../contract/error.ts';
import type { LedgerRecord } from '../contract/record.ts';
import { recordOfRow, SELECT_COLUMNS } from './columns.ts';
import { GATEWAY_ACTIONS } from './events.ts';

export interface AuditFilter {
  /** Lower case, hyphenated. */
  readonly flowRun?: string | undefined;
  /** As refusals and `X-Request-Id` name it. */
  readonly request?: string | undefined;
  readonly principal?: string | undefined;
  /** An action, or all of a noun: `flow_runs.*`. */
  readonly action?: string | undefined;
  readonly decision?: 'allow' | 'deny' | undefined;
  /** RFC 3339 in UTC with milliseconds, as records carry it; inclusive. */
  readonly since?: string | undefined;
  /** The same; exclusive. */
  readonly until?: string | undefined;
  /** Only the newest so many of them. */
  readonly last?: number | undefined;
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
  close(): void;
}

const PAGE = 500;
const FOLLOW_MS = 250;

/** Throws LictorError `ledger-missing` when there is none yet. */
export function openLedgerReader(file: string): LedgerReader {
  if (!existsSync(file))
    throw new LictorError('ledger-missing', `There is no ledger at ${file} yet: start the gateway with lictor up, or name its --state-dir.`);
  const db = new DatabaseSync(file, { readOnly: true, timeout: 2_000 });
  const audit = (filter: AuditFilter) => auditRows(db, filter);
  return {
    audit,
    forFlowRun: (id) => collect(audit({ flowRun: id })),
    async gatewayEvents(since, until) {
      const all = await Promise.all(Object.values(GATEWAY_ACTIONS).map((action) => collect(audit({ action, since, until }))));
      return all.flat().sort((a, b) => (a.time < b.time ? -1 : 1));
    },
    close: () => db.close(),
  };
}

async function collect(records: AsyncIterable<LedgerRecord>): Promise<LedgerRecord[]> {
  const all: LedgerRecord[] = [];
  for await (const record of records) all.push(record);
  return all;
}

async function* auditRows(db: DatabaseSync, filter: AuditFilter): AsyncGenerator<LedgerRecord> {
  const newest = Number(db.prepare('SELECT max(n) AS n FROM records').get()?.n ?? 0);
  yield* upTo(db, filter, newest);
  if (filter.follow !== undefined) yield* after(db, filter, newest, filter.follow.signal);
}

/** Keyset pages: no read transaction stays open while the consumer is slow, so the log of SQLite can be checkpointed. */
async function* upTo(db: DatabaseSync, filter: AuditFilter, newest: number): AsyncGenerator<LedgerRecord> {
  const { sql, values } = conditions(filter);
  const page = db.prepare(`SELECT n, ${SELECT_COLUMNS} FROM records WHERE ${sql} AND n <= ? AND (time, n) > (?, ?) ORDER BY time, n LIMIT ${PAGE}`);
  let [time, n]: [string, number] = filter.last === undefined ? ['', 0] : startOfLast(db, filter, filter.last, newest);
  for (;;) {
    const rows = page.all(...values, newest, time, n);
    for (const row of rows) yield recordOfRow(row);
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    [time, n] = [String(last.time), Number(last.n)];
  }
}

function startOfLast(db: DatabaseSync, filter: AuditFilter, count: number, newest: number): [string, number] {
  const { sql, values } = conditions(filter);
  const nth = db.prepare(`SELECT time, n FROM records WHERE ${sql} AND n <= ? ORDER BY time DESC, n DESC LIMIT 1 OFFSET ?`).get(...values, newest, count);
  return nth === undefined ? ['', 0] : [String(nth.time), Number(nth.n)];
}

async function* after(db: DatabaseSync, filter: AuditFilter, newest: number, signal: AbortSignal): AsyncGenerator<LedgerRecord> {
  const { sql, values } = conditions(filter);
  const page = db.prepare(`SELECT n, ${SELECT_COLUMNS} FROM records WHERE ${sql} AND n > ? ORDER BY n LIMIT ${PAGE}`);
  let n = newest;
  while (!signal.aborted) {
    const rows = page.all(...values, n);
    for (const row of rows) yield recordOfRow(row);
    n = Number(rows.at(-1)?.n ?? n);
    if (rows.length < PAGE) await wait(FOLLOW_MS, undefined, { signal }).catch(() => undefined); // Aborted: the loop ends.
  }
}

/** Fixed fragments; every value is bound. */
function conditions(filter: AuditFilter): { readonly sql: string; readonly values: readonly SQLInputValue[] } {
  const parts: [string, ...SQLInputValue[]][] = [['TRUE']];
  if (filter.flowRun !== undefined) parts.push(['flow_run_id = ?', filter.flowRun]);
  if (filter.request !== undefined) parts.push(['request_id = ?', filter.request]);
  if (filter.principal !== undefined) parts.push(['principal = ?', filter.principal]);
  if (filter.action !== undefined) parts.push(actionCondition(filter.action));
  // Written out, so that the partial index of denials is found.
  if (filter.decision !== undefined) parts.push([filter.decision === 'deny' ? "decision = 'deny'" : "decision = 'allow'"]);
  if (filter.since !== undefined) parts.push(['time >= ?', filter.since]);
  if (filter.until !== undefined) parts.push(['time < ?', filter.until]);
  return { sql: parts.map(([sql]) => sql).join(' AND '), values: parts.flatMap(([, ...values]) => values) };
}

/** `flow_runs.*` as a range, which an index serves: `/` is the character after `.`. */
function actionCondition(action: string): [string, ...SQLInputValue[]] {
  if (!action.endsWith('.*')) return ['action = ?', action];
  const noun = action.slice(0, -2);
  return ['action >= ? AND action < ?', `${noun}.`, `${noun}/`];
}
