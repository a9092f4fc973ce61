import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeMemoryDir } from '../../config/memory-dir.fixture.ts';
import type { LedgerShelf, SignedText } from '../../store/ledger-shelf.ts';
import { writeNewStore } from '../../store/new-store.fixture.ts';
import { openStore, type Store } from '../../store/store.ts';
import { verifyStore, withChain, writeRecords } from '../ledger/chain/chain.fixture.ts';
import { createChain } from '../ledger/chain/chain.ts';
import { GENESIS } from '../ledger/chain/hash.ts';
import type { ForeignBatch } from '../ledger/chain/import.ts';
import { makeNodes, type Node, type Nodes, partOf, take } from '../ledger/chain/nodes.fixture.ts';
import { parseStatement } from '../ledger/chain/statement.ts';
import { openLedgerDatabase, transaction } from '../ledger/database.ts';
import { flowRunEvent, writeEvents } from '../ledger/prefect-events/event.fixture.ts';
import { bodyOf } from './body.ts';
import { openLocalLedger } from './local-ledger.ts';
import { createLoop, type Loop } from './loop.ts';
import { restoreOwnChain } from './restore.ts';

const LATER_MS = Date.parse('2026-03-02T00:00:00Z');

let dir: string;
let file: string;
let store: Store;
let nodes: Nodes;
let closing: (() => void)[];
let steadyMs = 0;
/** The store of the nodes: what it answers can be changed. */
let shelf: LedgerShelf;
beforeEach(async () => {
  dir = makeMemoryDir('lictor-replication-');
  file = join(dir, 'lictor.db');
  await writeNewStore(file);
  store = await openStore({ at: file, clock: () => LATER_MS });
  shelf = store.ledgerShelf;
  nodes = makeNodes();
  closing = [];
});
afterEach(async () => {
  for (const close of closing) close();
  nodes.remove();
  await store.close();
  rmSync(dir, { recursive: true });
});

function loopOf(node: Node, imported: (batch: ForeignBatch) => void = () => undefined): Loop {
  const ledger = openLocalLedger(node.paths.ledgerFile);
  closing.push(() => ledger.close());
  const importRows = async (batch: ForeignBatch): Promise<void> => {
    take(node, batch);
    imported(batch);
  };
  // What the store does is looked up at each call.
  const current = new Proxy({} as LedgerShelf, { get: (_target, name: keyof LedgerShelf) => shelf[name] });
  return createLoop({
    node: node.name,
    ledger,
    shelf: current,
    importRows,
    toDisk: () => undefined,
    mostRows: 10,
    steady: () => (steadyMs += 10_000),
    fence: () => null,
  });
}
const chainsOf = (node: Node) => Object.fromEntries(verifyStore(node.paths).chains.map(({ node: name, lastSeq }) => [name, lastSeq]));
const shelved = async (node: string) => (await store.ledgerShelf.endOf(node))?.seq;
function sql(at: string, text: string): void {
  using db = new DatabaseSync(at);
  db.exec(text);
}
const away = { ...({} as LedgerShelf), heads: gone, endOf: gone, append: gone, after: gone, removeUpTo: gone, removeAfter: gone };
async function gone(): Promise<never> {
  throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
}

describe('three nodes', () => {
  it('have each the records of all, with their events, and sign every chain', async () => {
    const three = [nodes.add('a', 20), nodes.add('b', 30), nodes.add('c', 24)];
    for (const { paths, name } of three) writeEvents(paths, [flowRunEvent(name.charCodeAt(0), 100)], name);
    const loops = three.map((node) => loopOf(node));
    for (const loop of loops) expect(await loop.ship()).toBe(true);
    for (const loop of loops) expect(await loop.pull()).toBe(true);
    for (const node of three) {
      expect(chainsOf(node)).toEqual({ a: 21, b: 31, c: 25 });
      expect(verifyStore(node.paths)).toMatchObject({ problems: [], events: { checked: 3 } });
    }
    expect(loops.map((loop) => loop.status())).toEqual(
      ['a', 'b', 'c'].map((name) => ({
        ...{ waiting: { records: 0, since: null }, problem: null },
        nodes: ['a', 'b', 'c']
          .filter((other) => other !== name)
          .map((other) => ({
            ...{ node: other, behind: 0, problem: null },
            ...{ headAt: expect.stringContaining('T'), silentMs: expect.any(Number) },
          })),
      })),
    );
  });

  it('go on with what comes later, each record once', async () => {
    const [a, b] = [nodes.add('a', 20), nodes.add('b', 5)];
    const taken: number[] = [];
    const [here, there] = [loopOf(a), loopOf(b, ({ rows }) => taken.push(rows.length))];
    await here.ship();
    await there.pull();
    await here.ship();
    await there.pull();
    writeRecords(a.paths, 3, { node: 'a', startMs: LATER_MS });
    await here.ship();
    await there.pull();
    expect([taken, chainsOf(b)]).toEqual([[10, 10, 3], { a: 23, b: 5 }]);
  });
});

describe('a store that is away', () => {
  it('leaves the records in the local ledger, says how many since when, and gets all of them later', async () => {
    const [a, b] = [nodes.add('a', 20), nodes.add('b', 5)];
    const [here, there] = [loopOf(a), loopOf(b)];
    await here.ship();
    shelf = away;
    writeRecords(a.paths, 25, { node: 'a', startMs: LATER_MS });
    expect([await here.ship(), await there.pull()]).toEqual([false, false]);
    expect(here.status()).toEqual({ waiting: { records: 25, since: '2026-03-02T00:00:00.000Z' }, problem: 'ECONNREFUSED', nodes: [] });
    shelf = store.ledgerShelf;
    expect([await here.ship(), await there.pull()]).toEqual([true, true]);
    expect([chainsOf(b), here.status().waiting.records]).toEqual([{ a: 45, b: 5 }, 0]);
  });

  it('in the middle of a long part goes on there: the head comes with its last records', async () => {
    const [a, b] = [nodes.add('a', 24), nodes.add('b', 1)];
    const here = loopOf(a);
    let calls = 0;
    shelf = { ...store.ledgerShelf, append: (...given) => (++calls === 2 ? gone() : store.ledgerShelf.append(...given)) };
    expect([await here.ship(), await shelved('a'), await store.ledgerShelf.heads()]).toEqual([false, 10, []]);
    expect([await here.ship(), await shelved('a')]).toEqual([true, 24]);
    await loopOf(b).pull();
    expect(chainsOf(b)).toEqual({ a: 24, b: 1 });
  });

  it('and lost its last records in a failover gets them again', async () => {
    const a = nodes.add('a', 20);
    const here = loopOf(a);
    await here.ship();
    sql(file, 'DELETE FROM ledger_records WHERE seq > 12');
    writeRecords(a.paths, 2, { node: 'a', startMs: LATER_MS });
    expect([await here.ship(), await shelved('a')]).toEqual([true, 22]);
    expect(await store.ledgerShelf.after('a', 11, 2)).toMatchObject([{ seq: 12 }, { seq: 13 }]);
  });
});

describe('a wrong row in the store', () => {
  it.each([
    ['an edited record', "UPDATE ledger_records SET body = replace(body, 'alice@local', 'mallory@local') WHERE seq = 14", 'record 14 does not fit its hash'],
    ['a missing record', 'DELETE FROM ledger_records WHERE seq = 14', 'record 14 is missing'],
    ['a missing end', 'DELETE FROM ledger_records WHERE seq > 14', 'records 15 to 24 are missing'],
    ['text that is no record', "UPDATE ledger_records SET body = 'null' WHERE seq = 14", 'record 14 in the store cannot be read'],
    ['an unsigned head', "UPDATE ledger_statements SET signature = 'AAAA'", 'not signed by the ledger key'],
    ['no head', "UPDATE ledger_statements SET statement = '{}'", 'its head cannot be read'],
  ])('is refused, with nothing of its chain: %s; the other nodes go on', async (_name, change, why) => {
    const [a, b, c] = [nodes.add('a', 24), nodes.add('b', 1), nodes.add('c', 10)];
    await loopOf(a).ship();
    sql(file, change);
    await loopOf(c).ship();
    const there = loopOf(b);
    await there.pull();
    expect(there.status().nodes).toMatchObject([
      { node: 'a', problem: expect.stringContaining(why) },
      { node: 'c', problem: null },
    ]);
    expect([chainsOf(b), verifyStore(b.paths).problems]).toEqual([{ b: 1, c: 10 }, []]);
  });

  it('is refused also if it changes after the chain was followed', async () => {
    const [a, b] = [nodes.add('a', 24), nodes.add('b', 1)];
    await loopOf(a).ship();
    let reads = 0;
    shelf = {
      ...store.ledgerShelf,
      async after(...given) {
        const rows = await store.ledgerShelf.after(...given);
        return ++reads > 3 ? rows.slice(0, -1) : rows;
      },
    };
    const there = loopOf(b);
    expect([await there.pull(), there.status().nodes[0]?.problem]).toEqual([true, expect.stringContaining('record 20 changed in the store')]);
    shelf = store.ledgerShelf;
    expect([await there.pull(), chainsOf(b), verifyStore(b.paths).problems]).toEqual([true, { a: 24, b: 1 }, []]);
  });
});

describe('a node whose head is withheld', () => {
  it('grows silent, also behind an older head or one with a false time; a newer signed head ends it', async () => {
    const [a, b] = [nodes.add('a', 20), nodes.add('b', 1)];
    const there = loopOf(b);
    const silence = async (head?: SignedText) => {
      shelf = head === undefined ? store.ledgerShelf : { ...store.ledgerShelf, heads: async () => [{ node: 'a', head, start: null }] };
      const before = steadyMs;
      expect(await there.pull()).toBe(true);
      const [one] = there.status().nodes;
      return { isNews: (one?.silentMs ?? 0) <= steadyMs - before, at: one?.headAt, problem: one?.problem };
    };
    await loopOf(a).ship();
    const [old] = await store.ledgerShelf.heads();
    if (old === undefined) throw new Error('no head');
    const first = await silence();
    expect(first).toMatchObject({ isNews: true, problem: null });
    expect(await silence()).toMatchObject({ isNews: false, at: first.at });
    const forged = { ...old.head, text: old.head.text.replace(/"time":"2026/, '"time":"2027') };
    expect(await silence(forged)).toMatchObject({ isNews: false, at: first.at });
    writeRecords(a.paths, 1, { node: 'a', startMs: LATER_MS });
    await loopOf(a).ship();
    const second = await silence();
    expect([second.isNews, String(second.at) > String(first.at)]).toEqual([true, true]);
    expect(await silence(old.head)).toMatchObject({ isNews: false, at: second.at });
  });
});

describe('a node without new records', () => {
  it('signs a new head each minute if it has the records of others, and none alone', async () => {
    const [a, b] = [nodes.add('a', 20), nodes.add('b', 1)];
    await loopOf(a).ship();
    const timesOf = (node: Node) => {
      using db = openLedgerDatabase(node.paths.ledgerFile);
      let nowMs = LATER_MS;
      const chain = createChain({ db, node: node.name, keyFile: node.paths.ledgerKey, clock: () => nowMs });
      transaction(db, () => {
        chain.moveStart(node.name, 0, GENESIS);
        chain.seal();
      });
      return [59_999, 60_000].map((ms) => {
        nowMs = LATER_MS + ms;
        transaction(db, () => chain.seal());
        return parseStatement(String(db.prepare('SELECT text FROM head').get()?.['text']))?.time;
      });
    };
    const first = '2026-03-02T00:00:00.000Z';
    expect(timesOf(b)).toEqual([first, first]);
    await loopOf(b).pull();
    expect(timesOf(b)).toEqual([first, '2026-03-02T00:01:00.000Z']);
    expect(verifyStore(b.paths).problems).toEqual([]);
  });
});

describe('two nodes of one name', () => {
  it('are found: the second one adds nothing, and says so', async () => {
    const [a, other] = [nodes.add('a', 20), nodes.add('a', 40, LATER_MS)];
    await loopOf(a).ship();
    const second = loopOf(other);
    expect([await second.ship(), await shelved('a')]).toEqual([false, 20]);
    expect(second.status().problem).toContain('another record 20 of the node a than this ledger: two nodes have this name');
  });
});

describe('a node whose disk was lost', () => {
  const restore = ({ name, paths }: Node) => restoreOwnChain({ ...paths, node: name, shelf });

  it('goes on with its own chain from the store', async () => {
    const [a, b] = [nodes.add('a', 24), nodes.add('b', 1)];
    await loopOf(a).ship();
    const again = nodes.add('a');
    await restore(again);
    writeRecords(again.paths, 5, { node: 'a', startMs: LATER_MS });
    expect([await loopOf(again).ship(), await loopOf(b).pull()]).toEqual([true, true]);
    for (const node of [again, b]) expect([chainsOf(node)['a'], verifyStore(node.paths).problems]).toEqual([29, []]);
  });

  it('or is an older copy gets what it lacks, and nothing twice', async () => {
    const a = nodes.add('a', 20);
    const copy = { name: 'a', paths: nodes.add('a').paths };
    sql(a.paths.ledgerFile, `VACUUM INTO '${copy.paths.ledgerFile}'`);
    writeRecords(a.paths, 10, { node: 'a', startMs: LATER_MS });
    await loopOf(a).ship();
    await restore(copy);
    await restore(copy);
    expect([chainsOf(copy), verifyStore(copy.paths).problems]).toEqual([{ a: 30 }, []]);
  });

  it('drops the end that it had not signed in the store, and goes on', async () => {
    const a = nodes.add('a', 10);
    const { head } = partOf(a);
    writeRecords(a.paths, 20, { node: 'a', startMs: LATER_MS });
    const rows = partOf(a).rows.map((row) => ({ seq: row.record.seq, hash: row.record.hash ?? '', body: bodyOf(row) }));
    await store.ledgerShelf.append('a', rows, head);
    const again = nodes.add('a');
    await restore(again);
    expect([await shelved('a'), chainsOf(again)]).toEqual([10, { a: 10 }]);
    writeRecords(again.paths, 5, { node: 'a', startMs: LATER_MS });
    expect([await loopOf(again).ship(), await shelved('a')]).toEqual([true, 15]);
  });

  it('does not start over another chain of its name', async () => {
    await loopOf(nodes.add('a', 40)).ship();
    const other = nodes.add('a', 20, LATER_MS);
    await expect(restore(other)).rejects.toMatchObject({ code: 'replication-refused', message: expect.stringContaining('record 21 does not fit') });
    expect([chainsOf(other), verifyStore(other.paths).problems]).toEqual([{ a: 20 }, []]);
  });

  it('has nothing to bring back the first time', async () => {
    const fresh = nodes.add('a', 3);
    await restore(fresh);
    expect(chainsOf(fresh)).toEqual({ a: 3 });
  });
});

describe('retention', () => {
  it('deletes in the store what the node deleted and every other node has', async () => {
    const [a, b] = [nodes.add('a', 40), nodes.add('b', 1)];
    const [here, there] = [loopOf(a), loopOf(b)];
    await here.ship();
    await there.ship();
    const start = (seq: number) => {
      const hash = partOf(a, seq - 1, 1).rows[0]?.record.hash ?? '';
      sql(a.paths.ledgerFile, `DELETE FROM records WHERE seq <= ${seq}`);
      withChain(a.paths, (chain) => chain.moveStart('a', seq, hash));
    };
    start(10);
    await here.ship();
    expect(await store.ledgerShelf.after('a', 0, 1)).toMatchObject([{ seq: 1 }]);
    await there.pull();
    await there.ship();
    await here.ship();
    expect(await store.ledgerShelf.after('a', 0, 1)).toMatchObject([{ seq: 11 }]);
    const late = nodes.add('c', 1);
    await loopOf(late).pull();
    expect([chainsOf(late), verifyStore(late.paths).problems]).toEqual([{ a: 40, b: 1, c: 1 }, []]);
  });
});
