// Metrics of the nodes that share a store. Each node reports how it sees the others.
import type { SharedNode, SharedStore } from '../contract/shared-store.ts';
import { type Family, gauge, type Sample } from '../record/metrics/exposition.ts';

/** Without values for a gateway with SQLite. */
export function nodeFamilies(shared: SharedStore | null): readonly Family[] {
  const nodes = shared?.nodes ?? [];
  const each = (value: (node: SharedNode) => number | undefined): readonly Sample[] =>
    nodes.flatMap((node) => {
      const one = value(node);
      return one === undefined ? [] : [{ labels: { node: node.name }, value: one }];
    });
  const duties = nodes.flatMap(({ name, duties: held }) => held.map((duty) => ({ labels: { node: name, duty }, value: 1 })));
  return [
    { name: 'node_live', type: 'gauge', help: '1 while a node of the last week lives.', samples: each(({ live }) => Number(live)) },
    { name: 'node_differs', type: 'gauge', help: '1 while a live node decides by something else, or has another version.', samples: each(differs(nodes)) },
    { name: 'node_duty', type: 'gauge', help: 'Which node does the work that only one does.', samples: duties },
    {
      name: 'node_behind_records',
      type: 'gauge',
      help: 'Records of another node that this one does not have yet.',
      samples: each(({ chain }) => chain?.behind_records),
    },
    {
      name: 'node_silent_seconds',
      type: 'gauge',
      help: 'Since a newer signed head of a live node came.',
      samples: each(({ chain, live }) => (live ? chain?.silent_seconds : undefined)),
    },
    {
      name: 'node_records_rejected',
      type: 'gauge',
      help: '1 while this node does not take the records of another one.',
      samples: each(({ chain }) => (chain === null ? undefined : Number(chain.problem !== null))),
    },
    gauge('replication_waiting_records', 'Records of this node that the store does not have yet.', shared?.waiting_records),
    gauge('replication_failing', '1 while the store does not take records, or gives none.', shared === null ? undefined : Number(shared.problem !== null)),
  ];
}

function differs(nodes: readonly SharedNode[]): (node: SharedNode) => number | undefined {
  const versions = new Set(nodes.flatMap(({ live, version }) => (live ? [version] : [])));
  return ({ live, same_configuration, same_policies }) =>
    live ? Number(same_configuration === false || same_policies === false || versions.size > 1) : undefined;
}
