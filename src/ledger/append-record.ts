// One record from another process: the command line beside a running, or a stopped, control plane.
import { hostname } from 'node:os';
import { LictorError } from '../contract/error.ts';
import { REASONS } from '../contract/reasons.ts';
import type { NewRecord } from '../contract/record.ts';
import { createAppend } from './append.ts';
import { openLedgerDatabase, transaction } from './database.ts';

/**
 * Durable when it returns. It continues the sequence of the node that the control plane named, else of this host.
 * Throws LictorError `ledger-unavailable` when it cannot be written, `ledger-request-recorded` when the request id is taken.
 */
export function appendRecord(ledgerFile: string, record: NewRecord): void {
  if (!write(ledgerFile, record)) throw new LictorError('ledger-request-recorded', 'This request has its record already.');
}

function write(ledgerFile: string, record: NewRecord): boolean {
  try {
    using db = openLedgerDatabase(ledgerFile);
    return transaction(db, () => {
      const named = db.prepare("SELECT value FROM meta WHERE key = 'node'").get()?.value;
      return createAppend(db, typeof named === 'string' ? named : hostname())(record);
    });
  } catch (error) {
    if (error instanceof LictorError) throw error;
    throw new LictorError('ledger-unavailable', REASONS['ledger-unavailable'].detail, { cause: error });
  }
}
