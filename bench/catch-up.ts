// The ledger behind its log: after a flood it reads on in the background, and nothing else is measured beside that.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { waitFor } from '../src/operations/supervise/processes/wait-for.ts';

/** A flood of a few million lines; more is a defect. */
const PATIENCE_MS = 20 * 60_000;

/** Resolves when every line of the access log is in the ledger. */
export async function ledgerCaughtUp(stateDir: string): Promise<void> {
  using ledger = new DatabaseSync(join(stateDir, 'ledger.db'), { readOnly: true, timeout: 5_000 });
  const position = ledger.prepare("SELECT inode, position FROM tails WHERE file = 'access'");
  const isRead = (): boolean => {
    const log = statSync(join(stateDir, 'log', 'access.log'));
    const at = position.get();
    return String(at?.['inode']) === String(log.ino) && at?.['position'] === log.size;
  };
  await waitFor(isRead, { what: 'the ledger to read the whole access log', timeoutMs: PATIENCE_MS, everyMs: 200 });
}
