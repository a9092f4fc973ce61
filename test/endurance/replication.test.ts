// Replication between nodes: its threads, and three chains at size.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeMemoryDir } from '../../src/config/memory-dir.fixture.ts';
import { systemClock } from '../../src/contract/clock.ts';
import { verifyStore, writeRecords } from '../../src/record/ledger/chain/chain.fixture.ts';
import { makeNodes, type Node, type Nodes, partOf, take } from '../../src/record/ledger/chain/nodes.fixture.ts';
import { type Ledger, startLedger } from '../../src/record/ledger/ledger.ts';
import { type Replication, startReplication } from '../../src/record/replication/replication.ts';
import { writeNewStore } from '../../src/store/new-store.fixture.ts';

let dir: string;
let nodes: Nodes;
let ledger: Ledger | undefined;
let replication: Replication | undefined;
const lines: string[] = [];
const log = { info: line, warn: line, error: line };
function line(_fields: object, text: string): void {
  lines.push(text);
}
beforeEach(() => {
  dir = makeMemoryDir('lictor-replication-');
  nodes = makeNodes();
});
afterEach(async () => {
  await ledger?.close();
  await replication?.close();
  nodes.remove();
  rmSync(dir, { recursive: true });
});

async function start({ name, paths }: Node, storeAt: string): Promise<void> {
  ledger = await startLedger({ paths, node: name, clock: systemClock });
  replication = startReplication({ paths, ledger, log, node: name, storeAt });
}
async function stop(): Promise<void> {
  await ledger?.close();
  await replication?.close();
}

it('threads of two nodes exchange their records through the store, those of the stop too; a store that opens late is waited for', async () => {
  const storeAt = join(dir, 'lictor.db');
  const [a, b] = [nodes.add('a', 3), nodes.add('b', 3)];
  await start(a, join(dir, 'missing', 'lictor.db'));
  await expect.poll(() => replication?.status().problem).not.toBeNull();
  await stop();
  expect(lines).toEqual(['records wait for the store']);
  await writeNewStore(storeAt);
  await start(a, storeAt);
  await ledger?.append({ time: new Date().toISOString(), principal: 'alice@local' });
  await stop();
  const whole = verifyStore(a.paths).chains[0];
  await start(b, storeAt);
  await expect.poll(() => replication?.status().nodes).toEqual([{ node: 'a', behind: 0, problem: null }]);
  await stop();
  const { problems, chains } = verifyStore(b.paths);
  expect([problems, chains[0]]).toEqual([[], whole]);
  expect(whole?.lastSeq).toBe(8);
}, 20_000);

it('300,000 records on three chains are verified within 30 s, and a deleted chain, tail or checkpoint is found', () => {
  const here = nodes.add('a');
  const others = [nodes.add('b'), nodes.add('c')];
  for (const { name, paths } of [here, ...others]) writeRecords(paths, 100_000, { node: name, perTransaction: 100, stepMs: 20_000 });
  const startedMs = performance.now();
  for (const other of others) for (let after = 0; after < 100_000; after += 500) take(here, partOf(other, after, 500));
  const addedMs = performance.now();
  const verified = verifyStore(here.paths);
  const seconds = (performance.now() - addedMs) / 1_000;
  process.stderr.write(`200,000 records added in ${((addedMs - startedMs) / 1_000).toFixed(1)} s, 300,000 verified in ${seconds.toFixed(1)} s\n`);
  expect([verified.problems, verified.chains.map(({ records }) => records)]).toEqual([[], [100_000, 100_000, 100_000]]);
  expect(seconds).toBeLessThan(30);
  writeRecords(here.paths, 10, { node: 'a', startMs: Date.parse('2026-05-01T00:00:00Z') });
  const copy = join(dir, 'copy.db');
  for (const [change, problem] of CHANGES) {
    cpSync(here.paths.ledgerFile, copy);
    using db = new DatabaseSync(copy);
    db.exec(change);
    db.close();
    expect(verifyStore({ ...here.paths, ledgerFile: copy }).problems).toContainEqual(expect.objectContaining(problem));
  }
}, 300_000);

const CHANGES: readonly (readonly [string, object])[] = [
  ["DELETE FROM records WHERE node = 'b'", { kind: 'truncated', node: 'b' }],
  ["DELETE FROM records WHERE node = 'c' AND seq > 99000", { kind: 'truncated', node: 'c', seq: 99_001 }],
  ['DELETE FROM checkpoints WHERE number = 2', { kind: 'removed', node: null }],
];
