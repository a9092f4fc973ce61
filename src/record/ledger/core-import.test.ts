import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCatalogue } from '../../prefect/catalog/catalogue.ts';
import { verifyStore } from './chain/chain.fixture.ts';
import { encodeBatch, type ForeignBatch } from './chain/import.ts';
import { makeNodes, type Node, type Nodes, partOf } from './chain/nodes.fixture.ts';
import { type Core, createCore } from './core.ts';
import { END_MS, workerSetup } from './lines.fixture.ts';

let nodes: Nodes;
let a: Node;
let here: Node;
let core: Core;
let health: boolean[];
beforeEach(() => {
  nodes = makeNodes();
  a = nodes.add('a', 20);
  here = nodes.add('n1');
  health = [];
  core = createCore({
    setup: workerSetup(here.paths, 's', END_MS),
    routes: createCatalogue(),
    clock: () => END_MS,
    onHealth: (healthy) => health.push(healthy),
  });
});
afterEach(() => {
  core.close();
  nodes.remove();
});

const store = (batch: ForeignBatch) => core.store({ kind: 'import', batch: encodeBatch(batch) });
const append = () => core.run([{ kind: 'append', record: { time: new Date(END_MS).toISOString(), principal: 'alice@local' } }]);
const lastOf = () => verifyStore(here.paths).chains.map(({ node, lastSeq }) => [node, lastSeq]);

describe('the ledger with records of another node', () => {
  it('adds them between its own, and signs both', () => {
    expect([append(), store(partOf(a, 0, 10)), append(), store(partOf(a, 10)), append()]).toEqual([[null], null, [null], null, [null]]);
    expect(verifyStore(here.paths).problems).toEqual([]);
    expect(lastOf()).toEqual([
      ['a', 20],
      ['n1', 4],
    ]);
  });

  it('refuses what does not fit, stays healthy, and goes on with its own', () => {
    expect(store(partOf(a, 0, 10))).toBeNull();
    expect(store(partOf(a, 12))).toMatchObject({ code: 'replication-refused', message: expect.stringContaining('of the node a are not added') });
    expect([append(), health, core.healthy()]).toEqual([[null], [], true]);
    expect(verifyStore(here.paths).problems).toEqual([]);
    expect(lastOf()).toEqual([
      ['a', 10],
      ['n1', 2],
    ]);
  });

  it('refuses records of its own name: only it writes that chain', () => {
    expect(store({ ...partOf(a), node: 'n1' })).toMatchObject({ code: 'replication-refused', message: expect.stringContaining('this node has that name') });
  });
});
