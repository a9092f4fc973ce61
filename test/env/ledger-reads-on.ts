// A test looks into the ledger after a request: the record comes from nginx's line of it, which the ledger reads some time later.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { waitFor } from './process.ts';

/** Resolves when the ledger has read what is in the access log; also after a while in which it has not, since a ledger that is ill is looked into as well. */
export async function ledgerReadsOn(stateDir: string): Promise<void> {
  const log = statSync(join(stateDir, 'log', 'access.log'), { throwIfNoEntry: false });
  if (log === undefined || log.size === 0) return;
  const hasRead = (): boolean => (placeIn(join(stateDir, 'ledger.db'), log.ino) ?? 0) >= log.size;
  await waitFor(hasRead, { what: 'the ledger to read on', timeoutMs: 5_000, everyMs: 20 }).catch(() => undefined);
}

function placeIn(ledgerFile: string, inode: number): number | undefined {
  try {
    using db = new DatabaseSync(ledgerFile, { readOnly: true, timeout: 1_000 });
    const place = db.prepare('SELECT position FROM tails WHERE inode = ?').get(String(inode))?.['position'];
    return typeof place === 'number' ? place : undefined;
  } catch {
    return undefined;
  }
}
