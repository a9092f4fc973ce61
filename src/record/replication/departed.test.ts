// The chain of a node that is gone, in the store: who trims it, and who accepts its later start.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeMemoryDir } from '../../config/memory-dir.fixture.ts';
import { writeNewStore } from '../../store/new-store.fixture.ts';
import { openStore, type Store } from '../../store/store.ts';
import { START_MS, verifyStore, writeRecords } from '../ledger/chain/chain.fixture.ts';
import { createChain } from '../ledger/chain/chain.ts';
import { makeNodes, type Node, type Nodes, partOf, takeAt } from '../ledger/chain/nodes.fixture.ts';
import { createPruner } from '../ledger/chain/prune.ts';
import { openLedgerDatabase, transaction } from '../ledger/database.ts';
import { openLocalLedger } from './local-ledger.ts';
import { createLoop, type Loop } from './loop.ts';
import { restoreOwnChain } from './restore.ts';

/** The node `gone` signed nothing for more than a week. */
const LATER_MS = START_MS + 8 * 86_400_000;

let dir: string;
let file: string;
let store: Store;
let nodes: Nodes;
let gone: Node;
let keeper: Node;
let closing: (() => void)[];
beforeEach(async () => {
  dir = makeMemoryDir('lictor-departed-');
  file = join(dir, 'lictor.db');
  await writeNewStore(file);
  store = await openStore({ at: file, clock: () => LATER_MS });
  nodes = makeNodes();
  closing = [];
  gone = nodes.add('gone', 40);
  await loopOf(gone).ship();
  keeper = nodes.add('keeper', 5, LATER_MS);
});
afterEach(async () => {
  for (const close of closing) close();
  nodes.remove();
  await store.close();
  rmSync(dir, { recursive: true });
});

/** `fence`: a store that no other node has gives the fence 0. */
function loopOf(node: Node, fence: number | null = null): Loop {
  const ledger = openLocalLedger(node.paths.ledgerFile);
  closing.push(() => ledger.close());
  const parts = { ledger, shelf: store.ledgerShelf, toDisk: () => undefined, steady: () => 0, fence: () => fence };
  return createLoop({ ...parts, node: node.name, importRows: async (batch) => takeAt(LATER_MS, node, batch) });
}
function sql(text: string): void {
  using db = new DatabaseSync(file);
  db.exec(text);
}
const left = async () => (await store.ledgerShelf.after('gone', 0, 100)).map(({ seq }) => seq);
const from = (first: number) => Array.from({ length: 41 - first }, (_, index) => first + index);
const chainsOf = (node: Node) => Object.fromEntries(verifyStore(node.paths).chains.map(({ node: name, firstSeq, lastSeq }) => [name, [firstSeq, lastSeq]]));

/** Takes the chain in two segments, of which retention deletes those before `beforeMs`. */
function takeAndPrune(node: Node, chainOf: Node, beforeMs: number): void {
  const checkpoint = (prune: boolean) => {
    using db = openLedgerDatabase(node.paths.ledgerFile);
    const chain = createChain({ db, node: node.name, keyFile: node.paths.ledgerKey, clock: () => LATER_MS });
    const pruner = createPruner(db, chain);
    for (let more = true; more; ) {
      more = transaction(db, () => {
        const kind = prune ? pruner(beforeMs).kind : 'none';
        chain.seal('hour');
        return kind === 'pruned';
      });
    }
  };
  takeAt(LATER_MS, node, partOf(chainOf, 0, 20));
  checkpoint(false);
  takeAt(LATER_MS, node, partOf(chainOf, 20));
  // The newest record of all is never deleted.
  writeRecords(node.paths, 1, { node: node.name, startMs: LATER_MS + 1 });
  checkpoint(false);
  checkpoint(true);
}
/** Retention has deleted the first segment, or all. */
const FIRST_MS = START_MS + 2_000;
const ALL_MS = START_MS + 10_000;

/** A new node takes all from the store: its problem with the chain `gone`, which it then does not have. */
async function joins(): Promise<string | null | undefined> {
  const late = nodes.add(`late${closing.length}`, 1, LATER_MS);
  const loop = loopOf(late);
  expect(await loop.pull()).toBe(true);
  const problem = loop.status().nodes.find(({ node }) => node === 'gone')?.problem;
  expect(verifyStore(late.paths).problems).toEqual([]);
  expect('gone' in chainsOf(late)).toBe(problem === null);
  return problem;
}

describe('the chain of a node that is gone', () => {
  it('is trimmed by the holder of the duty up to where its own retention deleted it; a new node takes the rest and verifies', async () => {
    takeAndPrune(keeper, gone, FIRST_MS);
    const [idle, holder] = [loopOf(keeper), loopOf(keeper, 0)];
    await idle.ship();
    await idle.pull();
    expect(await left()).toEqual(from(1));
    await holder.pull();
    expect(await left()).toEqual(from(21));
    expect(await joins()).toBeNull();
  });

  it('never loses its last record and its head, so that the node can return, also without its disk', async () => {
    takeAndPrune(keeper, gone, ALL_MS);
    await loopOf(keeper, 0).pull();
    expect(await left()).toEqual([40]);
    expect(await joins()).toBeNull();
    const again = nodes.add('gone');
    await restoreOwnChain({ ...again.paths, node: 'gone', shelf: store.ledgerShelf });
    expect([chainsOf(again), verifyStore(again.paths).problems]).toEqual([{ gone: [40, 40] }, []]);
    for (const back of [gone, again]) {
      writeRecords(back.paths, 2, { node: 'gone', startMs: LATER_MS });
      expect(await loopOf(back).ship()).toBe(back === gone);
    }
    expect([await left(), await joins()]).toEqual([[40, 41, 42], null]);
  });

  it('is not trimmed before each live node has it, nor while its node lives, nor by a former holder', async () => {
    takeAndPrune(keeper, gone, ALL_MS);
    const other = nodes.add('other', 1, LATER_MS);
    await loopOf(other).ship();
    await loopOf(keeper, 0).pull();
    expect(await left()).toEqual(from(1));
    await loopOf(other).pull();
    await loopOf(other).ship();
    await loopOf(keeper, 7).pull();
    expect([await left(), (await store.ledgerShelf.headOf('gone'))?.start]).toEqual([from(1), null]);
    sql("UPDATE ledger_statements SET statement = replace(statement, '2026-03-01T', '2026-03-09T') WHERE node = 'gone'");
    await loopOf(keeper, 0).pull();
    expect(await left()).toEqual(from(1));
    sql("UPDATE ledger_statements SET statement = replace(statement, '2026-03-09T', '2026-03-01T') WHERE node = 'gone'");
    await loopOf(keeper, 0).pull();
    expect(await left()).toEqual([40]);
  });

  it.each([
    ['without a statement', 'DELETE FROM ledger_records WHERE node = $$gone$$ AND seq <= 10', 'records 1 to 10 are missing', false],
    ['after the position of the statement', 'DELETE FROM ledger_records WHERE node = $$gone$$ AND seq <= 25', 'records 21 to 25 are missing', true],
    [
      'with an unsigned statement',
      'UPDATE ledger_statements SET start_signature = $$AAAA$$',
      'the statement of its start is not signed by the ledger key',
      true,
    ],
    [
      'with a changed statement',
      'UPDATE ledger_statements SET start_statement = replace(start_statement, $$"from_seq":20$$, $$"from_seq":21$$)',
      'not signed',
      true,
    ],
    ['with a statement that is none', 'UPDATE ledger_statements SET start_statement = $$x$$', 'the statement of its start cannot be read', true],
    ['with the statement removed', 'UPDATE ledger_statements SET start_statement = NULL', 'records 1 to 20 are missing', true],
    ['to its end', 'DELETE FROM ledger_records WHERE node = $$gone$$', 'records 1 to 40 are missing', true],
  ])('that an attacker cut %s is found', async (_name, change, why, trimmed) => {
    takeAndPrune(keeper, gone, FIRST_MS);
    if (trimmed) await loopOf(keeper, 0).pull();
    expect(await joins()).toBeNull();
    sql(change.replaceAll('$$', "'"));
    expect(await joins()).toContain(why);
  });

  it('is not taken with the statement about another chain of this name', async () => {
    const forked = nodes.add('gone', 40, START_MS + 1);
    takeAndPrune(keeper, forked, FIRST_MS);
    const { head } = partOf(keeper);
    expect(await store.ledgerShelf.trim('gone', 20, { start: head, fence: 0 })).toBe(true);
    expect(await joins()).toContain('record 20 is not the one at which a signed head begins the chain');
    expect(await store.ledgerShelf.trim('gone', 21, { start: head, fence: 0 })).toBe(true);
    expect(await joins()).toContain('records 21 to 21 are missing');
  });
});
