// A test looks into the ledger after a request: the record comes from nginx's line of it, which the ledger reads some time later.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { waitFor } from './process.ts';

export interface AnswersSeen {
  /** Notes an answer of a gateway: the next reader of its ledger expects the record of it. */
  note(answer: Response): void;
  /** Resolves when nginx has written the lines of all that were noted; also after a while in which it has not, since one that is killed writes none. */
  written(stateDir: string): Promise<void>;
}

/** nginx writes the line of a request behind its answer, and may be paused in between: a look at the size of the log is then too early. */
export function answersSeen(): AnswersSeen {
  const unwritten = new Set<string>();
  return {
    note(answer) {
      const id = answer.headers.get('x-request-id');
      if (id !== null) unwritten.add(id);
    },
    async written(stateDir) {
      const log = join(stateDir, 'log', 'access.log');
      const isWritten = (): boolean => {
        for (const [, id = ''] of readFileSync(log, 'latin1').matchAll(/"request_id":"([^"]+)"/g)) unwritten.delete(id);
        return unwritten.size === 0;
      };
      if (unwritten.size > 0 && existsSync(log))
        await waitFor(isWritten, { what: 'the lines of what was answered', timeoutMs: 5_000, everyMs: 20 }).catch(() => undefined);
      unwritten.clear();
    },
  };
}

/** How long a ledger that reads on may take from one look of ours that finds it further to the next one. */
const STANDS_MS = 5_000;

/** Resolves when the ledger has read what is in the access log; also when it has stood still for a while, since a ledger that is ill is looked into as well. */
export async function ledgerReadsOn(stateDir: string): Promise<void> {
  const log = statSync(join(stateDir, 'log', 'access.log'), { throwIfNoEntry: false });
  if (log === undefined || log.size === 0) return;
  let [furthest, since] = [-1, performance.now()];
  const hasReadOrStands = (): boolean => {
    const place = placeIn(join(stateDir, 'ledger.db'), log.ino) ?? 0;
    if (place > furthest) [furthest, since] = [place, performance.now()];
    return place >= log.size || performance.now() - since > STANDS_MS;
  };
  await waitFor(hasReadOrStands, { what: 'the ledger to read on', timeoutMs: 60_000, everyMs: 20 }).catch(() => undefined);
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
