import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../../config/state-dir.ts';
import { createAppend } from '../append.ts';
import { openLedgerDatabase, transaction } from '../database.ts';
import { tempState } from '../lines.fixture.ts';
import { NODE, START_MS, verifyStore, writeRecords } from './chain.fixture.ts';
import { createChain } from './chain.ts';
import { createRetention } from './retention.ts';

const DAY_MS = 86_400_000;

let paths: StatePaths;
let remove: () => void;
beforeEach(() => {
  ({ paths, remove } = tempState());
});
afterEach(() => remove());

/** So many ticks of a gateway that keeps records for a day. */
function tick(nowMs: number, times = 1): void {
  using db = openLedgerDatabase(paths.ledgerFile);
  const chain = createChain({ db, node: NODE, keyFile: paths.ledgerKey, clock: () => nowMs });
  const retention = createRetention({ db, chain, appendRow: createAppend(db, NODE, chain), retentionMs: DAY_MS });
  for (let time = 0; time < times; time += 1) {
    transaction(db, () => {
      retention.step(nowMs);
      chain.seal();
    });
  }
}

function records(): Record<string, unknown>[] {
  using db = new DatabaseSync(paths.ledgerFile);
  return db.prepare('SELECT seq, node, action, resource_id FROM records ORDER BY node, seq').all();
}

describe('retention', () => {
  it('lets the oldest records go, says so once, and the rest is whole', () => {
    writeRecords(paths, 100, { stepMs: 3_600_000 }); // ten an hour
    const { checkpoints } = verifyStore(paths);
    tick(START_MS + DAY_MS + 3_600_000 * 4.5, 3);
    expect(records()).toHaveLength(51);
    expect(records().at(-1)).toMatchObject({ seq: 101, action: 'ledger.pruned', resource_id: '50' });
    const after = verifyStore(paths);
    expect(after).toMatchObject({ problems: [], chains: [{ firstSeq: 51, records: 51 }] });
    // The digests of what went stay, one for each of its hours.
    expect(checkpoints).toBe(10);
    expect(after.checkpoints).toBeGreaterThanOrEqual(checkpoints);
  });

  it('keeps what is young enough, and the last record whatever its age', () => {
    writeRecords(paths, 20);
    tick(START_MS + DAY_MS - 1);
    expect(records()).toHaveLength(20);
    tick(START_MS + 9 * DAY_MS);
    expect(records().map(({ seq }) => seq)).toEqual([20, 21]);
    expect(verifyStore(paths).problems).toEqual([]);
  });

  it('works in small steps, and on every chain', () => {
    writeRecords(paths, 4_500, { perTransaction: 500 });
    writeRecords(paths, 30, { node: 'before-the-move' });
    tick(START_MS + 9 * DAY_MS);
    expect(records()).toHaveLength(2_530);
    tick(START_MS + 9 * DAY_MS, 6);
    expect(records().map(({ node, seq }) => [node, seq])).toEqual([
      ['before-the-move', 30],
      [NODE, 4_501],
    ]);
    expect(verifyStore(paths).problems).toEqual([]);
  });

  it('never lets go what somebody changed: it stops there, and says so', () => {
    writeRecords(paths, 100, { stepMs: 3_600_000 });
    using db = new DatabaseSync(paths.ledgerFile);
    db.exec("UPDATE records SET principal = 'mallory@local' WHERE seq = 7");
    tick(START_MS + 9 * DAY_MS, 3);
    expect(records()).toHaveLength(101);
    expect(records().at(-1)).toMatchObject({ action: 'ledger.prune_stopped', resource_id: '7' });
    expect(verifyStore(paths).problems).toMatchObject([{ kind: 'edited', seq: 7 }]);
  });

  it('is no way to take records away unseen', () => {
    writeRecords(paths, 100, { stepMs: 3_600_000 });
    tick(START_MS + DAY_MS + 3_600_000 * 4.5);
    using db = new DatabaseSync(paths.ledgerFile);
    db.exec('DELETE FROM records WHERE seq <= 60');
    expect(verifyStore(paths).problems).toMatchObject([{ kind: 'removed' }]);
  });
});
