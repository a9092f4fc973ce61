// How a node sees the others, as data and as metrics.
import { expect, it } from 'vitest';
import { renderFamilies } from '../record/metrics/exposition.ts';
import type { OtherNode } from '../record/replication/protocol.ts';
import type { KnownNode } from '../store/nodes.ts';
import { nodeFamilies } from './node-metrics.ts';
import { describeSharedStore, type SharedStoreParts, sharedStoreOf } from './shared-store.ts';

const NODE: KnownNode = { name: 'a', instance: 'i', version: '1', configuration: 'c/p', startedMs: 0, seenMs: 1_000, isLive: true };
const CHAIN: OtherNode = { node: 'b', behind: 0, headAt: '2026-01-01T00:00:00.000Z', silentMs: 1_500, problem: null };

function look(others: readonly Partial<KnownNode>[], chains: readonly Partial<OtherNode>[] = [{}], more: Partial<SharedStoreParts['seen']> = {}) {
  const nodes = [NODE, ...others.map((other) => ({ ...NODE, name: 'b', ...other }))];
  const replicated = { waiting: { records: 0, since: null }, problem: null, nodes: chains.map((chain) => ({ ...CHAIN, ...chain })) };
  return describeSharedStore({ node: 'a', seen: { nodes, duties: [], ...more }, replicated });
}
const other = (...given: Parameters<typeof look>) => look(...given).nodes.find(({ name }) => name === 'b');

it('there is nothing to see of a store that no other node has', () => {
  expect(sharedStoreOf({ membership: null, replication: null }, 'a')).toBeNull();
  expect(renderFamilies(nodeFamilies(null))).not.toMatch(/^lictor_/m);
});

it('each node, its duties and its chain; this one has no chain to take', () => {
  expect(look([{}], [{}], { duties: [{ duty: 'events', node: 'b' }] }).nodes).toEqual([
    {
      ...{ name: 'a', live: true, version: '1', started_at: '1970-01-01T00:00:00.000Z', last_seen_at: '1970-01-01T00:00:01.000Z', duties: [] },
      ...{ same_configuration: true, same_policies: true, chain: null },
    },
    expect.objectContaining({
      ...{ name: 'b', duties: ['events'], same_configuration: true, same_policies: true },
      chain: { behind_records: 0, head_at: '2026-01-01T00:00:00.000Z', silent_seconds: 1, late: false, problem: null },
    }),
  ]);
});

it.each([
  ['c/p', true, true],
  ['d/p', false, true],
  ['c/q', true, false],
  ['c', true, null],
])('a node with %s in use: the same configuration %s, the same policies %s', (configuration, same_configuration, same_policies) => {
  expect(other([{ configuration }])).toMatchObject({ same_configuration, same_policies });
});

it('a live node without a newer head for more than five minutes is late; one that is away is not', () => {
  const lateOf = (silentMs: number, isLive: boolean) => other([{ isLive }], [{ silentMs }])?.chain?.late;
  expect([lateOf(300_001, true), lateOf(300_000, true), lateOf(300_001, false)]).toEqual([true, false, false]);
});

it('a node that is away does nothing any more, and one that is forgotten has only its chain', () => {
  expect(other([{ isLive: false }], [{}], { duties: [{ duty: 'events', node: 'b' }] })).toMatchObject({ live: false, duties: [] });
  expect(other([], [{}])).toMatchObject({ live: false, version: null, last_seen_at: null, same_policies: null, chain: { behind_records: 0 } });
});

it('metrics have what alerts need', () => {
  const text = (...given: Parameters<typeof look>) =>
    renderFamilies(nodeFamilies(look(...given)))
      .split('\n')
      .filter((line) => !line.startsWith('#'));
  expect(text([{}], [{ behind: 4, silentMs: 400_000, problem: 'no' }], { duties: [{ duty: 'events', node: 'a' }] })).toEqual(
    expect.arrayContaining([
      ...['lictor_node_live{node="b"} 1', 'lictor_node_differs{node="b"} 0', 'lictor_node_duty{node="a",duty="events"} 1'],
      ...['lictor_node_behind_records{node="b"} 4', 'lictor_node_silent_seconds{node="b"} 400', 'lictor_node_records_rejected{node="b"} 1'],
      ...['lictor_replication_waiting_records 0', 'lictor_replication_failing 0'],
    ]),
  );
  for (const change of [{ configuration: 'd/p' }, { configuration: 'c/q' }, { version: '2' }])
    expect(text([change])).toContain('lictor_node_differs{node="b"} 1');
  const away = text([{ isLive: false, version: '2' }], [{ silentMs: 400_000 }]);
  expect(away).toContain('lictor_node_differs{node="a"} 0');
  expect(away.filter((line) => line.startsWith('lictor_node_silent_seconds'))).toEqual([]);
});
