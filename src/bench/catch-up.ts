// The ledger behind its log: after a flood it reads on in the background, and nothing else is measured beside that.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Progress } from '../demo/progress.ts';
import { waitFor } from '../supervise/processes/wait-for.ts';

/** A flood of a few million lines; more is a defect. */
const PATIENCE_MS = 20 * 60_000;

/** Seconds until every line of the access log is in the ledger. */
export function ledgerCaughtUp(stateDir: string, progress: Progress): Promise<number> {
  const startedMs = performance.now();
  const seconds = (): number => (performance.now() - startedMs) / 1000;
  return progress.step(
    'The ledger reads what the load has left in the access log',
    async () => {
      using ledger = new DatabaseSync(join(stateDir, 'ledger.db'), { readOnly: true, timeout: 5_000 });
      const position = ledger.prepare("SELECT inode, position FROM tails WHERE file = 'access'");
      const isRead = (): boolean => {
        const log = statSync(join(stateDir, 'log', 'access.log'));
        const at = position.get();
        return String(at?.['inode']) === String(log.ino) && at?.['position'] === log.size;
      };
      await waitFor(isRead, { what: 'the ledger to read the whole access log', timeoutMs: PATIENCE_MS, everyMs: 200 });
      return seconds();
    },
    (took) => `The ledger had everything ${took.toFixed(1)} s after the load`,
  );
}
