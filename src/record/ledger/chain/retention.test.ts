import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../../../config/state-dir.ts';
import { createAppend } from '../append.ts';
import { recordOfRow, SELECT_COLUMNS } from '../columns.ts';
import { openLedgerDatabase, transaction } from '../database.ts';
import { tempState } from '../lines.fixture.ts';
import { NODE, START_MS, verifyStore, writeRecords } from './chain.fixture.ts';
import { createChain } from './chain.ts';
import { GENESIS, hashOf } from './hash.ts';
import { readKey } from './key-file.ts';
import { createRetention } from './retention.ts';
import { parseStatement, signStatement } from './statement.ts';

const DAY_MS = 86_400_000;

let paths: StatePaths;
let remove: () => void;
beforeEach(() => {
  ({ paths, remove } = tempState());
});
afterEach(() => remove());

/** So many ticks of a gateway that keeps records for a day, and has run all the while. */
function tick(nowMs: number, times = 1, atOnce?: number): void {
  {
    using db = openLedgerDatabase(paths.ledgerFile);
    db.exec("DELETE FROM meta WHERE key = 'believed_ms'");
  }
  tickAsItIs(nowMs, times, atOnce);
}

function tickAsItIs(nowMs: number, times = 1, atOnce?: number): void {
  using db = openLedgerDatabase(paths.ledgerFile);
  const chain = createChain({ db, node: NODE, keyFile: paths.ledgerKey, clock: () => nowMs });
  const retention = createRetention({ db, chain, appendRow: createAppend(db, NODE, chain), retentionMs: DAY_MS, ...(atOnce !== undefined && { atOnce }) });
  for (let time = 0; time < times; time += 1) {
    transaction(db, () => {
      retention.step(nowMs);
      chain.seal();
    });
  }
}

/** As an attacker without the key: recomputes the hashes between two records. */
function rechain(db: DatabaseSync, from: number, to: number): void {
  let previous = String(db.prepare('SELECT hash FROM records WHERE seq = ?').get(from - 1)?.['hash']);
  for (let seq = from; seq <= to; seq += 1) {
    db.prepare("UPDATE records SET principal = 'mallory@local', prev_hash = ? WHERE seq = ?").run(previous, seq);
    const row = db.prepare(`SELECT ${SELECT_COLUMNS} FROM records WHERE seq = ?`).get(seq);
    previous = hashOf(recordOfRow(row ?? {}));
    db.prepare('UPDATE records SET hash = ? WHERE seq = ?').run(previous, seq);
  }
}

function records(): Record<string, unknown>[] {
  using db = new DatabaseSync(paths.ledgerFile);
  return db.prepare('SELECT seq, node, action, resource_id FROM records ORDER BY node, seq').all();
}

function recordHeld(): Record<string, unknown> | undefined {
  using db = new DatabaseSync(paths.ledgerFile);
  return db.prepare("SELECT duration_ms, tool FROM records WHERE action = 'ledger.prune_held'").get();
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

  it('leaves young records, and the newest segment of any age', () => {
    writeRecords(paths, 20);
    tick(START_MS + DAY_MS - 1);
    expect(records()).toHaveLength(20);
    tick(START_MS + 9 * DAY_MS, 3);
    expect(records()).toHaveLength(20);
    writeRecords(paths, 10, { startMs: START_MS + 9 * DAY_MS });
    tick(START_MS + 9 * DAY_MS + 60_000, 2);
    expect(records().map(({ seq, action }) => [seq, action])).toEqual([...Array.from({ length: 10 }, (_, index) => [21 + index, null]), [31, 'ledger.pruned']]);
    expect(verifyStore(paths).problems).toEqual([]);
  });

  it('deletes nothing after a clock jump, records that once, and continues when the clock is right again', () => {
    writeRecords(paths, 100, { stepMs: 3_600_000 });
    tickAsItIs(START_MS + 3_600_000 * 10);
    tickAsItIs(START_MS + DAY_MS * 400, 3);
    expect(records()).toHaveLength(101);
    expect(records().at(-1)).toMatchObject({ action: 'ledger.prune_held', resource_id: null });
    expect(recordHeld()).toMatchObject({ duration_ms: null, tool: '9590 h' });
    tickAsItIs(START_MS + DAY_MS, 3);
    expect(records()).toHaveLength(101);
    tickAsItIs(START_MS + DAY_MS + 3_600_000 * 4.5, 3);
    expect(records()[0]).toMatchObject({ seq: 51 });
    expect(verifyStore(paths).problems).toEqual([]);
  });

  it('lets whole segments go, on every chain: of one that is not closed, or not old enough in every record, nothing', () => {
    writeRecords(paths, 30, { stepMs: 3_600_000, node: 'before-the-move', startMs: START_MS - DAY_MS });
    writeRecords(paths, 100, { stepMs: 1_200_000 }); // three batches an hour
    const before = verifyStore(paths);
    // In the middle of the third segment.
    tick(START_MS + DAY_MS + 1_200_000 * 5, 3);
    expect(records()[0]).toMatchObject({ node: NODE, seq: 41 });
    const after = verifyStore(paths);
    expect(after).toMatchObject({
      problems: [],
      pruned: [
        { node: 'before-the-move', upTo: 30 },
        { node: NODE, upTo: 40, closedAt: expect.any(String) },
      ],
    });
    expect([before.pruned, after.checkpoints > before.checkpoints]).toEqual([[], true]);
  });

  it('works in small steps, and the ledger verifies after each of them, whichever process continues', () => {
    writeRecords(paths, 500, { perTransaction: 100, stepMs: 3_600_000 });
    writeRecords(paths, 10, { startMs: START_MS + 8 * DAY_MS });
    const seen = new Set<unknown>();
    for (let step = 0; step < 40; step += 1) {
      // Every one is another process: it has examined nothing yet.
      tick(START_MS + 9 * DAY_MS, 12, 30);
      const { problems, pruned } = verifyStore(paths);
      expect(problems).toEqual([]);
      seen.add(pruned[0]?.closedAt === null);
    }
    expect(records().map(({ seq }) => seq)).toEqual([501, 502, 503, 504, 505, 506, 507, 508, 509, 510, 511]);
    // In the middle of a segment, and at its end.
    expect(seen).toEqual(new Set([true, false]));
  });

  it('never deletes a changed record: it stops there, and records that', () => {
    writeRecords(paths, 100, { stepMs: 3_600_000 });
    using db = new DatabaseSync(paths.ledgerFile);
    db.exec("UPDATE records SET principal = 'mallory@local' WHERE seq = 7");
    tick(START_MS + 9 * DAY_MS, 3);
    expect(records()).toHaveLength(101);
    expect(records().at(-1)).toMatchObject({ action: 'ledger.prune_stopped', resource_id: '7' });
    expect(verifyStore(paths).problems).toMatchObject([{ kind: 'edited', seq: 7 }]);
  });

  it('nor another record of its segment, nor a segment that was rewritten up to its digest', () => {
    writeRecords(paths, 100, { stepMs: 3_600_000 });
    using db = new DatabaseSync(paths.ledgerFile);
    db.exec("UPDATE records SET principal = 'mallory@local' WHERE seq = 49");
    tick(START_MS + 9 * DAY_MS, 5, 7);
    expect(records().at(-1)).not.toMatchObject({ action: 'ledger.prune_stopped' });
    tick(START_MS + 9 * DAY_MS, 40, 7);
    expect(records()[0]).toMatchObject({ seq: 41 });
    expect(records().at(-1)).toMatchObject({ action: 'ledger.prune_stopped', resource_id: '49' });

    db.exec("UPDATE records SET principal = 'alice@local' WHERE seq = 49");
    expect(verifyStore(paths).problems).toEqual([]);
    rechain(db, 45, 50);
    tick(START_MS + 9 * DAY_MS, 40, 7);
    expect(records()[0]).toMatchObject({ seq: 41 });
    expect(
      records()
        .filter(({ action }) => action === 'ledger.prune_stopped')
        .map(({ resource_id: seq }) => seq),
    ).toEqual(['49', '50']);
  });

  it('a checkpoint with a foreign signature closes no segment', () => {
    writeRecords(paths, 100, { stepMs: 3_600_000 });
    using db = new DatabaseSync(paths.ledgerFile);
    db.exec('UPDATE checkpoints SET signature = (SELECT signature FROM checkpoints WHERE number = 1) WHERE number = 3');
    tick(START_MS + DAY_MS + 3_600_000 * 2.5, 3);
    // The second hour ends with the third, by a checkpoint that is ours.
    expect(records()[0]).toMatchObject({ seq: 21 });
    tick(START_MS + DAY_MS + 3_600_000 * 3.5, 3);
    expect(records()[0]).toMatchObject({ seq: 41 });
  });

  it('a head that is stored elsewhere is compared with the beginning of the chain', () => {
    writeRecords(paths, 100, { stepMs: 3_600_000 });
    tick(START_MS + DAY_MS + 3_600_000 * 4.5, 3);
    const key = readKey(paths.ledgerKey);
    using db = new DatabaseSync(paths.ledgerFile);
    const head = parseStatement(String(db.prepare('SELECT text FROM head').get()?.['text']));
    const [end] = head?.chains ?? [];
    if (head === undefined || key === undefined || end === undefined) throw new Error('no head');
    const keptWith = (hash: string) => ({
      savedHeads: [signStatement({ ...head, chains: [{ ...end, from_seq: 0, from_hash: GENESIS, seq: end.from_seq, hash }] }, key)],
    });
    expect(verifyStore(paths, keptWith(end.from_hash)).problems).toEqual([]);
    expect(verifyStore(paths, keptWith(GENESIS)).problems).toMatchObject([{ kind: 'rewritten', seq: 50 }]);
  });

  it('is no way to take records away unseen', () => {
    writeRecords(paths, 100, { stepMs: 3_600_000 });
    tick(START_MS + DAY_MS + 3_600_000 * 4.5);
    using db = new DatabaseSync(paths.ledgerFile);
    db.exec('DELETE FROM records WHERE seq <= 60');
    expect(verifyStore(paths).problems).toMatchObject([{ kind: 'removed' }]);
  });
});
