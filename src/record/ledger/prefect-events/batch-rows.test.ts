import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifyStore, withChain, writeRecords } from '../chain/chain.fixture.ts';
import { exportItems } from '../chain/export-file.ts';
import { makeNodes, type Node, type Nodes, partOf, take } from '../chain/nodes.fixture.ts';
import { openSignedChain } from '../chain/open-chain.ts';
import { createPruner } from '../chain/prune.ts';
import { openLedgerReader } from '../query.ts';
import { flowRunEvent, uuid, writeEvents } from './event.fixture.ts';
import { createRangeReader } from './read-events.ts';

let nodes: Nodes;
let a: Node;
let b: Node;
beforeEach(() => {
  nodes = makeNodes();
  a = nodes.add('a', 1);
  b = nodes.add('b', 1);
  writeEvents(a.paths, [flowRunEvent(1, 100), flowRunEvent(2, 100)], 'a');
  writeEvents(b.paths, [flowRunEvent(2, 100), flowRunEvent(3, 100), flowRunEvent(4, 100)], 'b');
  writeEvents(a.paths, [flowRunEvent(3, 100), flowRunEvent(5, 100)], 'a');
  take(b, partOf(a));
  writeEvents(b.paths, [flowRunEvent(6, 100)], 'b');
});
afterEach(() => nodes.remove());

function inB<T>(work: (db: DatabaseSync) => T): T {
  using db = new DatabaseSync(b.paths.ledgerFile);
  return work(db);
}
const problems = () => verifyStore(b.paths).problems.map(({ kind, message }) => `${kind}: ${message}`);

describe('events of Prefect that two nodes stored', () => {
  it('are each read once, and verify with the records of both nodes', () => {
    const reader = openLedgerReader(b.paths.ledgerFile);
    expect(reader.events.forFlowRun(uuid(100)).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6].map(uuid));
    reader.close();
    expect(problems()).toEqual([]);
    expect(verifyStore(b.paths).events).toEqual({ checked: 8, unchecked: 0 });
  });

  it('go on to the next node as they came', () => {
    const c = nodes.add('c', 1);
    take(c, partOf(b, 0, 100, 'a'), partOf(b));
    expect(verifyStore(c.paths)).toMatchObject({ problems: [], events: { checked: 8 } });
  });

  it.each([
    ['an edited one', "UPDATE prefect_events SET state_name = 'Failed' WHERE n = 4", /^edited: .* record 2 of a /],
    ['an edited second copy', "UPDATE repeated_events SET state_name = 'Failed'", /^edited: .* record 2 of a /],
    ['a removed second copy', 'DELETE FROM repeated_events', /^removed: 1 of the events 1 to 2 of Prefect, which record 2 of a /],
    [
      'an added second copy',
      'INSERT INTO repeated_events (n, id, event, occurred, related, resource_id) SELECT 99, id, event, occurred, related, resource_id FROM prefect_events LIMIT 1',
      /^inserted: event 99 of Prefect was added/,
    ],
    ['numbers of another batch', 'UPDATE event_batches SET first = first - 1, last = last - 1 WHERE seq = 2', /^edited: .* record 2 of a /],
  ])('show %s', (_name, change, problem) => {
    inB((db) => db.exec(change));
    expect(problems().join('\n')).toMatch(problem);
  });

  it('are exported with the record of each node, and sent once', () => {
    const { db, key } = openSignedChain(b.paths);
    if (key === undefined) throw new Error('no key');
    const ids = [...exportItems({ db, key, nowMs: 0, events: true })].flatMap((item) => ('event' in item ? [item.event.prefect_event.id] : []));
    expect(ids).toEqual([1, 2, 3, 5, 2, 3, 4, 6].map(uuid));
    db.close();
    const sent = inB((opened) => {
      const eventsOf = createRangeReader(opened);
      return partOf(b, 0, 100, 'a').rows.flatMap(({ record }) => eventsOf(record, 0, 10).map(({ event }) => event.id));
    });
    expect(sent).toEqual([1, 5].map(uuid));
  });

  it('are deleted with their records', () => {
    writeRecords(b.paths, 10, { node: 'b', startMs: Date.parse('2026-03-03T00:00:00Z') });
    withChain(b.paths, (chain) => chain.seal('hour'));
    inB((db) => {
      const ends = () => [{ node: 'a', from_seq: 0, from_hash: '0'.repeat(64), seq: 3, hash: '' }];
      const prune = createPruner(db, { ends, moveStart: () => undefined, publicKey: () => openKey() });
      for (let step = 0; step < 3; step += 1) prune(Date.parse('2026-03-02T00:00:00Z'));
      const left = (table: string) =>
        db
          .prepare(`SELECT id FROM ${table} ORDER BY id`)
          .all()
          .map((row) => row['id']);
      expect([left('prefect_events'), left('repeated_events'), db.prepare('SELECT * FROM event_batches').all()]).toEqual([[2, 3, 4, 6].map(uuid), [], []]);
    });
  });
});

function openKey(): string {
  const { db, key } = openSignedChain(b.paths);
  db.close();
  return key?.publicKey ?? '';
}
