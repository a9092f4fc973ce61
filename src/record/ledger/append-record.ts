// Records from another process: a command beside a running or stopped control plane.
import type { StatePaths } from '../../config/state-dir.ts';
import { systemClock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import { REASONS } from '../../contract/reasons.ts';
import type { NewRecord } from '../../contract/record.ts';
import { createAppend } from './append.ts';
import { createChain } from './chain/chain.ts';
import { openLedgerDatabase, transaction } from './database.ts';
import { nodeName } from './node-name.ts';

/** Durable when it returns. Uses the node name of the control plane, or else the host name. Throws LictorError `ledger-unavailable`. */
export function appendRecord(paths: Pick<StatePaths, 'ledgerFile' | 'ledgerKey'>, record: NewRecord): void {
  appendRecords(paths, [record]);
}

/** All of them, or none. */
export function appendRecords({ ledgerFile, ledgerKey }: Pick<StatePaths, 'ledgerFile' | 'ledgerKey'>, records: readonly NewRecord[]): void {
  try {
    using db = openLedgerDatabase(ledgerFile);
    transaction(db, () => {
      const node = nodeName(db);
      const chain = createChain({ db, node, keyFile: ledgerKey, clock: systemClock });
      const append = createAppend(db, node, chain);
      for (const record of records) append(record);
      chain.seal();
    });
  } catch (error) {
    if (error instanceof LictorError) throw error;
    throw new LictorError('ledger-unavailable', REASONS['ledger-unavailable'].detail, { cause: error });
  }
}
