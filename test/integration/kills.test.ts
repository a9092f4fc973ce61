// Parts of the gateway are killed under load: the ledger has every answered change, nothing twice, and names each gap. In full: test/endurance/kills.test.ts.
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../../src/config/state-dir.ts';
import type { NewRecord } from '../../src/contract/record.ts';
import { createAppend } from '../../src/record/ledger/append.ts';
import { createChain } from '../../src/record/ledger/chain/chain.ts';
import { openLedgerDatabase, transaction } from '../../src/record/ledger/database.ts';
import { tempState } from '../../src/record/ledger/lines.fixture.ts';
import type { Answered } from './kills/load.ts';
import { proveLedger } from './kills/proof.ts';
import { killDuring } from './kills/room.ts';

it('control plane, nginx worker, nginx: every answered change has its one record, what else is missing lies in a named gap', async () => {
  const proof = await killDuring({ perSecond: 200, kills: ['control', 'worker', 'nginx'], between: 200 });
  expect(proof.changes).toBeGreaterThan(50);
  process.stderr.write(`${JSON.stringify(proof)}\n`);
}, 300_000);

describe('the comparison itself', () => {
  const NOW_MS = Date.parse('2026-03-01T12:00:00.000Z');
  let paths: StatePaths;
  let remove: () => void;
  beforeEach(() => {
    ({ paths, remove } = tempState());
    write(answered.map(({ id, atMs }) => ({ time: new Date(atMs).toISOString(), request_id: id, path: '/api/flow_runs/1', status: 200 })));
  });
  afterEach(() => remove());

  const answered: readonly Answered[] = Array.from({ length: 50 }, (_, index) => {
    const atMs = NOW_MS + index * 1_000;
    return { id: `r${index}`, status: 200, mediated: index % 5 === 0, sentMs: atMs - 10, atMs };
  });
  const prove = () => proveLedger(paths.root, { answered, broken: () => 0, perSecond: () => 1 }, [{ what: 'nginx', atMs: NOW_MS }]);

  function write(records: readonly NewRecord[]): void {
    using db = openLedgerDatabase(paths.ledgerFile);
    const chain = createChain({ db, node: 'n1', keyFile: paths.ledgerKey, clock: () => NOW_MS });
    const append = createAppend(db, 'n1', chain);
    transaction(db, () => {
      for (const record of records) append(record);
      chain.seal();
    });
  }
  function forget(id: string): void {
    using db = new DatabaseSync(paths.ledgerFile);
    db.prepare('DELETE FROM records WHERE request_id = ?').run(id);
  }
  const gap = (atMs: number): NewRecord => ({ time: new Date(atMs).toISOString(), action: 'edge.worker_died', duration_ms: 3_000 });

  it('is content with a record for each', async () => {
    expect(await prove()).toMatchObject({ answered: 50, changes: 10, inGaps: 0 });
  });

  it('finds the record of a change that is gone, whether or not there is a gap', async () => {
    forget('r20');
    await expect(prove()).rejects.toThrow('answered changes without a record');
    write([gap(NOW_MS + 20_000)]);
    await expect(prove()).rejects.toThrow('answered changes without a record');
  });

  it('finds the record of a read that is gone in no gap, and takes one in a gap', async () => {
    forget('r21');
    await expect(prove()).rejects.toThrow('in no gap');
    write([gap(NOW_MS + 40_000)]);
    await expect(prove()).rejects.toThrow('in no gap');
    write([gap(NOW_MS + 22_000)]);
    expect(await prove()).toMatchObject({ inGaps: 1 });
  });

  it('finds more missing in a gap than can have been in flight', async () => {
    write(Array.from({ length: 50 }, (_, second) => gap(NOW_MS + second * 1_000)));
    for (const { id, mediated } of answered) if (!mediated) forget(id);
    await expect(prove()).rejects.toThrow('in flight');
  });

  it('finds a request that was recorded twice', async () => {
    write([{ time: new Date(NOW_MS).toISOString(), request_id: 'r21', path: '/api/flow_runs/1', status: 200 }]);
    await expect(prove()).rejects.toThrow('requests with two records');
  });
});
