import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LedgerRecord } from '../../../contract/record.ts';
import { createAppend } from '../append.ts';
import { openLedgerDatabase, transaction } from '../database.ts';
import { unreadableRecord } from '../events.ts';
import { flowRunEvent } from '../prefect-events/event.fixture.ts';
import { openLedgerReader } from '../query.ts';
import { verifyStore, withChain, writeRecords } from './chain.fixture.ts';
import { createChain } from './chain.ts';
import { exportItems } from './export-file.ts';
import { hashOf } from './hash.ts';
import type { ForeignBatch } from './import.ts';
import { makeNodes, type Node, type Nodes, partOf, take } from './nodes.fixture.ts';
import { changeLedgerKey, openSignedChain } from './open-chain.ts';
import { parseStatement } from './statement.ts';

const LATER_MS = Date.parse('2026-03-02T00:00:00Z');

let nodes: Nodes;
let a: Node;
let b: Node;
beforeEach(() => {
  nodes = makeNodes();
  a = nodes.add('a', 40);
  b = nodes.add('b', 30);
});
afterEach(() => nodes.remove());

const chainsOf = (node: Node) => verifyStore(node.paths).chains.map(({ node: name, firstSeq, lastSeq }) => [name, firstSeq, lastSeq]);
function sql(node: Node, text: string): void {
  using db = new DatabaseSync(node.paths.ledgerFile);
  db.exec(text);
}
function edited(batch: ForeignBatch, at: number, change: (record: LedgerRecord) => Partial<LedgerRecord>): ForeignBatch {
  const rows = batch.rows.map((row, index) => (index === at ? { ...row, record: { ...row.record, ...change(row.record) } } : row));
  return { ...batch, rows };
}

describe('records of another node', () => {
  it('become a chain of this ledger, which it signs and verifies', () => {
    take(b, partOf(a));
    expect(verifyStore(b.paths).problems).toEqual([]);
    expect(chainsOf(b)).toEqual([
      ['a', 1, 40],
      ['b', 1, 30],
    ]);
  });

  it('come in parts, and a part that comes again changes nothing', () => {
    take(b, partOf(a, 0, 10), partOf(a, 5, 20), partOf(a, 5, 20), partOf(a, 25));
    expect(chainsOf(b)[0]).toEqual(['a', 1, 40]);
    writeRecords(a.paths, 5, { node: 'a', startMs: LATER_MS });
    take(b, partOf(a, 40));
    expect(chainsOf(b)[0]).toEqual(['a', 1, 45]);
    expect(verifyStore(b.paths).problems).toEqual([]);
  });

  it('leave the own chain of both nodes as it was, and each can go on', () => {
    take(b, partOf(a));
    take(a, partOf(b));
    for (const node of [a, b]) writeRecords(node.paths, 10, { node: node.name, startMs: LATER_MS });
    for (const node of [a, b]) expect(verifyStore(node.paths).problems).toEqual([]);
    expect([chainsOf(a), chainsOf(b)]).toEqual([
      [
        ['a', 1, 50],
        ['b', 1, 30],
      ],
      [
        ['a', 1, 40],
        ['b', 1, 40],
      ],
    ]);
  });

  it('are the own chain too, for a node whose disk was lost or is older: it goes on after them', () => {
    take(b, partOf(a));
    const empty = nodes.add('a');
    take(empty, partOf(b, 0, 10_000, 'a'));
    writeRecords(empty.paths, 1, { node: 'a', startMs: LATER_MS });
    expect(chainsOf(empty)).toEqual([['a', 1, 41]]);
    expect(verifyStore(empty.paths).problems).toEqual([]);
  });

  it('may begin where the node deleted its first ones', () => {
    expect(() => take(b, partOf(a, 10))).toThrow('records 1 to 10 are missing');
    const last = partOf(a, 9, 1).rows[0]?.record.hash ?? '';
    sql(a, 'DELETE FROM records WHERE seq <= 10');
    withChain(a.paths, (chain) => chain.moveStart('a', 10, last));
    expect(() => take(b, partOf(a, 11))).toThrow('records 11 to 11 are missing');
    take(b, partOf(a));
    expect(chainsOf(b)[0]).toEqual(['a', 11, 40]);
    expect(verifyStore(b.paths).problems).toEqual([]);
  });

  it.each<[string, (batch: ForeignBatch) => ForeignBatch, string]>([
    ['an edited record', (batch) => edited(batch, 7, () => ({ principal: 'mallory@local' })), 'record 8 does not fit its hash'],
    ['an edited record with its hash', (batch) => edited(batch, 7, (one) => rehashed({ ...one, status: 403 })), 'record 9 does not fit'],
    [
      'an edited last record with its hash',
      (batch) => edited(batch, 39, (one) => rehashed({ ...one, status: 403 })),
      'record 40 is not one that its head signed',
    ],
    ['a gap', (batch) => ({ ...batch, rows: batch.rows.filter((_, index) => index !== 7) }), 'record 8 is missing'],
    ['a missing beginning', (batch) => ({ ...batch, rows: batch.rows.slice(3) }), 'records 1 to 3 are missing'],
    ['a record of another node', (batch) => edited(batch, 7, () => ({ node: 'b' })), 'record 8 is missing, and 8 of b is in its place'],
    [
      'events that no record covers',
      (batch) => ({ ...batch, rows: batch.rows.map((row) => ({ ...row, events: [flowRunEvent(1, 1)] })) }),
      'the events of Prefect of record 1',
    ],
    ['a head that nobody signed', (batch) => ({ ...batch, head: { ...batch.head, signature: 'AAAA' } }), 'not signed by the ledger key'],
    ['a head of another text', (batch) => ({ ...batch, head: { ...batch.head, text: batch.head.text.replace('"seq":40', '"seq":41') } }), 'not signed'],
    ['no head', (batch) => ({ ...batch, head: { text: '{}', signature: '' } }), 'its head cannot be read'],
  ])('are refused with %s: nothing is added, and the own chain goes on', (_name, change, why) => {
    expect(() => take(b, change(partOf(a)))).toThrow(expect.objectContaining({ code: 'replication-refused', message: expect.stringMatching(/the node a /) }));
    expect(() => take(b, change(partOf(a)))).toThrow(why);
    writeRecords(b.paths, 1, { node: 'b', startMs: LATER_MS });
    expect(verifyStore(b.paths).problems).toEqual([]);
    expect(chainsOf(b)).toEqual([['b', 1, 31]]);
  });

  it('are refused beyond the head, which covers them no more', () => {
    const early = partOf(a);
    writeRecords(a.paths, 5, { node: 'a', startMs: LATER_MS });
    expect(() => take(b, { ...partOf(a), head: early.head })).toThrow('record 45 is not one that its head signed');
  });

  it('are refused from a second node of the same name, which has another chain', () => {
    take(b, partOf(a));
    const other = nodes.add('a', 60, LATER_MS);
    expect(() => take(b, partOf(other))).toThrow('record 1 is another one here: two nodes have this name, or one was restored');
    expect(() => take(b, partOf(other, 40))).toThrow('record 41 does not fit its hash, or the one before it');
    expect(chainsOf(b)[0]).toEqual(['a', 1, 40]);
  });

  it('are refused where a hand changed the end of their chain here, which the own records survive', () => {
    take(b, partOf(a));
    sql(b, "DELETE FROM records WHERE node = 'a' AND seq = 40");
    writeRecords(a.paths, 5, { node: 'a', startMs: LATER_MS });
    expect(() => take(b, partOf(a, 40))).toThrow(expect.objectContaining({ code: 'ledger-altered' }));
    writeRecords(b.paths, 1, { node: 'b', startMs: LATER_MS });
    expect(verifyStore(b.paths).problems).toMatchObject([{ kind: 'truncated', node: 'a', seq: 40 }]);
  });

  it('may have the same origin on both nodes: a broken line at the same place of their logs', () => {
    for (const { name, paths } of [a, b]) {
      using db = openLedgerDatabase(paths.ledgerFile);
      const chain = createChain({ db, node: name, keyFile: paths.ledgerKey, clock: () => LATER_MS });
      transaction(db, () => {
        const append = createAppend(db, name, chain);
        const broken = unreadableRecord(LATER_MS, 7);
        expect([append(broken, 'line 1'), append(broken, 'line 1')]).toEqual([true, false]);
        chain.seal();
      });
    }
    take(b, partOf(a));
    expect(chainsOf(b)[0]).toEqual(['a', 1, 41]);
  });

  it('are read by their time, and by a reader that follows the ledger although they are older than what it has', () => {
    const reader = openLedgerReader(b.paths.ledgerFile);
    writeRecords(b.paths, 1, { node: 'b', startMs: LATER_MS });
    const before = reader.changes({}, 0);
    take(b, partOf(a, 0, 10));
    const { records, number } = reader.changes({}, before.number);
    expect(records.map(({ node, seq }) => `${node}${seq}`)).toEqual(Array.from({ length: 10 }, (_, index) => `a${index + 1}`));
    expect(reader.changes({}, number).records).toEqual([]);
    reader.close();
  });

  it('are in time order with those of this node', async () => {
    take(b, partOf(a));
    const reader = openLedgerReader(b.paths.ledgerFile);
    const times: string[] = [];
    const seen = new Set<string>();
    for await (const { time, node } of reader.audit({})) {
      times.push(time);
      seen.add(node);
    }
    reader.close();
    expect([times.length, seen.size, times]).toEqual([70, 2, times.toSorted()]);
  });

  it('are exported with all chains, and the export verifies', () => {
    take(b, partOf(a));
    const { db, key } = openSignedChain(b.paths);
    if (key === undefined) throw new Error('no key');
    const items = [...exportItems({ db, key, nowMs: LATER_MS })];
    db.close();
    const ends = items.flatMap((item) => ('line' in item && item.line.signed === 'export' ? (parseStatement(item.line.statement)?.chains ?? []) : []));
    expect(ends.map(({ node, seq }) => [node, seq])).toEqual([
      ['a', 40],
      ['b', 30],
    ]);
    expect(items.filter((item) => 'record' in item)).toHaveLength(70);
  });

  it('are signed by a key that this node rotated to, or from', () => {
    const before = partOf(a, 0, 20);
    take(b, before);
    changeLedgerKey(b.paths, () => LATER_MS);
    take(b, partOf(a, 20));
    expect(chainsOf(b)[0]).toEqual(['a', 1, 40]);
    expect(verifyStore(b.paths).problems).toEqual([]);
  });
});

function rehashed(record: LedgerRecord): LedgerRecord {
  return { ...record, hash: hashOf(record) };
}

describe('a ledger of three chains', () => {
  beforeEach(() => {
    take(b, partOf(a), partOf(nodes.add('c', 50)));
    writeRecords(b.paths, 20, { node: 'b', startMs: LATER_MS });
  });

  it.each<[string, string, object]>([
    ['a deleted chain', "DELETE FROM records WHERE node = 'a'", { kind: 'truncated', node: 'a', seq: 1 }],
    ['the deleted chain of this node', "DELETE FROM records WHERE node = 'b'", { kind: 'truncated', node: 'b', seq: 1 }],
    ['a cut tail', "DELETE FROM records WHERE node = 'c' AND seq > 45", { kind: 'truncated', node: 'c', seq: 46 }],
    ['a cut beginning', "DELETE FROM records WHERE node = 'c' AND seq <= 5", { kind: 'removed', node: 'c' }],
    ['an edited record of another node', "UPDATE records SET status = 403 WHERE node = 'a' AND seq = 9", { kind: 'edited', node: 'a', seq: 9 }],
    ['a removed checkpoint', 'DELETE FROM checkpoints WHERE number = 2', { kind: 'removed', node: null }],
    ['a record that moved to another chain', "UPDATE records SET node = 'd', seq = 1 WHERE node = 'c' AND seq = 50", { kind: 'truncated', node: 'c', seq: 50 }],
  ])('shows %s', (_name, change, problem) => {
    expect(verifyStore(b.paths).problems).toEqual([]);
    sql(b, change);
    expect(verifyStore(b.paths).problems).toContainEqual(expect.objectContaining(problem));
  });

  it('names the end of every chain in its checkpoints', () => {
    using db = new DatabaseSync(b.paths.ledgerFile);
    const { text } = db.prepare('SELECT text FROM checkpoints ORDER BY number DESC LIMIT 1').get() ?? {};
    const { chains } = JSON.parse(String(text)) as { chains: readonly { node: string; seq: number }[] };
    expect(chains.map(({ node, seq }) => [node, seq])).toEqual([
      ['a', 40],
      ['b', 40],
      ['c', 50],
    ]);
  });
});
