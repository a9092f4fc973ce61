// The nodes that share the store, as the control plane of this one sees them.
import type { SharedNode, SharedStore } from '../../../contract/shared-store.ts';
import { fail, ok, type Verdict, warn } from '../finding.ts';

/** One verdict for all nodes, and one for each problem. `away`, undefined: the control plane does not answer. */
export function checkNodes(shared: SharedStore | null | undefined | 'away', node: string): readonly Verdict[] {
  if (shared === null) return [];
  if (shared === undefined || shared === 'away')
    return [warn('the control plane does not say which nodes it sees', 'Try again in some seconds. If the warning stays, STATE/log/control.log says why.')];
  const own = shared.nodes.find(({ name }) => name === node);
  const problems = [...storeProblems(shared), ...shared.nodes.flatMap((one) => problemsOf(one, own))];
  const live = shared.nodes.filter((one) => one.live);
  return [ok(`nodes: ${live.length} live: ${live.map((one) => words(one, node)).join('; ')}`), ...problems];
}

function words({ name, version, duties, chain }: SharedNode, node: string): string {
  const parts = [...(name === node ? ['this node'] : []), ...(version === null ? [] : [version]), ...duties.map((duty) => `does ${duty}`)];
  const behind = chain === null ? [] : [chain.behind_records === 0 ? 'all its records are here' : `${chain.behind_records} of its records are not here yet`];
  return `${name} (${[...parts, ...behind].join(', ')})`;
}

function storeProblems({ problem, waiting_records: waiting, waiting_since: since }: SharedStore): readonly Verdict[] {
  if (problem === null) return [];
  const records = waiting === 0 ? '' : `; ${waiting} records of this node wait since ${since ?? '?'}`;
  return [fail(`the store does not exchange records: ${problem}${records}`, 'Fix the store first. The records are in ledger.db meanwhile.')];
}

function problemsOf(node: SharedNode, own: SharedNode | undefined): readonly Verdict[] {
  const { name, live, chain } = node;
  const found: Verdict[] = [];
  if (!live && node.last_seen_at !== null)
    found.push(warn(`the node ${name} is away since ${node.last_seen_at}`, 'Start it again. A node that does not return is forgotten after a week.'));
  if (live) found.push(...differences(node, own));
  if (chain === null) return found;
  if (chain.problem !== null) found.push(fail(`this node does not take the records of ${name}: ${chain.problem}`, VERIFY));
  else if (chain.late)
    found.push(
      warn(
        `the node ${name} lives, and its newest signed head came ${Math.round(chain.silent_seconds / 60)} minutes ago`,
        `Its records are late or withheld. Look at lictor doctor and STATE/log/control.log of ${name}; compare its lictor audit head with the store.`,
      ),
    );
  return found;
}

const VERIFY = 'Run lictor audit verify on both nodes. docs/explanation/ledger.md says what a node checks before it takes records.';

function differences(
  { name, version, same_configuration: configuration, same_policies: policies }: SharedNode,
  own: SharedNode | undefined,
): readonly Verdict[] {
  const found: Verdict[] = [];
  if (own !== undefined && version !== own.version)
    found.push(warn(`the node ${name} has version ${version}, this one ${own.version}`, 'Upgrade all nodes to one version.'));
  if (configuration === false)
    found.push(warn(`the node ${name} has another configuration in use`, 'Give all nodes the same lictor.yaml, and reload each (SIGHUP).'));
  if (policies === false)
    found.push(warn(`the node ${name} decides by other policies`, `STATE/log/control.log of both nodes says which set one of them could not use.`));
  return found;
}
