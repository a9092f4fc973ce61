// Opens ledger.db for reading, while the gateway writes it.
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { isErrno } from '../../contract/errno.ts';
import { LictorError } from '../../contract/error.ts';
import { versionOf } from './schema.ts';

/** sqlite.org/rescode.html: PERM, READONLY, CANTOPEN. A reader also writes beside the file, because the WAL index is shared memory. */
const CLOSED = [3, 8, 14];

/** Throws LictorError `ledger-missing`; `ledger-unreadable` for a user without access; `state-newer` for a newer version. */
export function openToRead(file: string): DatabaseSync {
  try {
    if (statSync(file, { throwIfNoEntry: false }) === undefined) throw missing(file);
    return opened(file);
  } catch (cause) {
    if (!isClosed(cause)) throw cause;
    throw new LictorError('ledger-unreadable', `The ledger ${file} cannot be read: run this as the user of the gateway.`, { cause });
  }
}

function opened(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 2_000 });
  try {
    // The first statement opens the files beside it.
    if (versionOf(db) === 0) throw missing(file);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function missing(file: string): LictorError {
  return new LictorError('ledger-missing', `There is no ledger at ${file} yet: start the gateway with lictor up, or name its --state-dir.`);
}

function isClosed(error: unknown): boolean {
  if (isErrno(error, 'EACCES', 'EPERM')) return true;
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && CLOSED.includes(error.errcode & 0xff);
}
