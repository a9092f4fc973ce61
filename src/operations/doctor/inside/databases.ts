// The two databases of the state directory: the version of the store, and whether the ledger can be written and is up to date.
import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { STATE_VERSION } from '../../../config/state-version.ts';
import { LictorError } from '../../../contract/error.ts';
import { type PostgresAddress, type StoreAddress, shownAddress } from '../../../contract/store-address.ts';
import { fail, ok, type Verdict, warn } from '../finding.ts';

const BUSY_MS = 3_000;

/** Reads only. */
export async function checkStore(at: StoreAddress): Promise<Verdict> {
  return typeof at === 'string' ? checkSqlite(at) : await checkPostgres(at);
}

async function checkPostgres(at: PostgresAddress): Promise<Verdict> {
  const { examinePostgres } = await import('../../../store/postgres.ts');
  try {
    const { version, server } = await examinePostgres(at);
    const store = `${shownAddress(at)}, Postgres ${server}`;
    return version === 0
      ? warn(`there are no tables in ${store} yet`, 'lictor up, token or account creates them.')
      : ok(`the store has version ${version}: ${store}`);
  } catch (error) {
    return fail(
      error instanceof LictorError ? error.message : String(error),
      'Then run lictor doctor again. Meanwhile Lictor rejects what it has not decided before.',
    );
  }
}

function checkSqlite(file: string): Verdict {
  if (!existsSync(file)) return warn(`there is no store at ${file} yet`, 'lictor up, token or account creates it.');
  const version = read(file, 'SELECT user_version AS value FROM pragma_user_version');
  if (typeof version !== 'number' || version === 0)
    return fail(
      `the store ${file} cannot be read: ${version || 'it has no tables'}`,
      'Run as the user of the gateway. If it is damaged, restore the last backup.',
    );
  if (version > STATE_VERSION)
    return fail(`the store has version ${version}, and this Lictor supports up to ${STATE_VERSION}`, 'Run the newer Lictor that wrote it.');
  return ok(`the store has version ${version}`);
}

export interface LedgerFiles {
  readonly ledgerFile: string;
  readonly accessLog: string;
}

/** Takes and releases the write lock; changes nothing. */
export function checkLedger({ ledgerFile, accessLog }: LedgerFiles, nowMs: number): Verdict {
  if (!existsSync(ledgerFile)) return warn(`there is no ledger at ${ledgerFile} yet`, 'lictor up creates it.');
  const locked = tryLock(ledgerFile);
  if (locked !== null)
    return fail(`the ledger cannot be written: ${locked}`, 'Check disk space and owner of the state directory. Meanwhile Lictor rejects changes.');
  const behind = unreadBytes(ledgerFile, accessLog, nowMs);
  if (behind > 0)
    return fail(
      `the ledger is behind: ${behind} bytes of the access log are not in it`,
      'STATE/log/control.log says why. No record is lost: the ledger continues from its position.',
    );
  const newest = read(ledgerFile, 'SELECT max(time) AS value FROM records');
  return ok(`the ledger can be written; its newest record is ${typeof newest === 'string' ? age(nowMs - Date.parse(newest)) : 'still to come'}`);
}

/** Unread bytes of a log without new lines for a while. */
function unreadBytes(ledgerFile: string, accessLog: string, nowMs: number): number {
  const log = statSync(accessLog, { throwIfNoEntry: false });
  if (log === undefined || nowMs - log.mtimeMs < 10_000) return 0;
  const position = read(ledgerFile, `SELECT position AS value FROM tails WHERE inode = '${Number(log.ino)}'`);
  // No position in this file: nothing of it was read. Text: the ledger cannot be read, which is reported already.
  return typeof position === 'string' ? 0 : Math.max(0, log.size - (position ?? 0));
}

function tryLock(file: string): string | null {
  try {
    using db = new DatabaseSync(file, { timeout: BUSY_MS });
    db.exec('BEGIN IMMEDIATE; ROLLBACK');
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The value. Text: the error. Null: there is none. */
function read(file: string, sql: string): string | number | null {
  try {
    using db = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
    const value = db.prepare(sql).get()?.['value'];
    return typeof value === 'string' || typeof value === 'number' ? value : null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function age(ms: number): string {
  if (ms < 90_000) return `${Math.max(0, Math.round(ms / 1000))} s old`;
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} minutes old`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} hours old` : `${Math.round(ms / 86_400_000)} days old`;
}
