// A run token covers its own run and the runs that it started. It may read parent runs as well: a sub-flow asks for its parent.
//
// Checks what a request names by id, in its path or its body; roles decide what lists show. Prefect answers for objects that do not exist.
import type { Located } from '../../contract/decision.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { ActionGroup, Operation } from '../../contract/operation.ts';
import { boundRuns, chainOf, type Principal } from '../../contract/principal.ts';
import type { Relation, RunLineage } from '../../prefect/client/run-lineage.ts';
import { type Ask, objectOf } from './asks.ts';
import { hasScopes } from './rule.ts';

export interface BoundParts {
  /** Undefined: Lictor knows only the token's own run. */
  readonly lineage: RunLineage | undefined;
  readonly groupOf: (action: string) => ActionGroup | undefined;
}

/** The index of an ask beyond the run of the principal, or of one in its chain; -1: none. Throws UpstreamError when Prefect does not answer. */
export async function beyondRun(parts: BoundParts, principal: Principal, asks: readonly Ask[]): Promise<number> {
  const beyond = await Promise.all(chainOf(principal).map((each) => beyondOwnRun(parts, each, asks)));
  return beyond.find((index) => index >= 0) ?? -1;
}

async function beyondOwnRun({ lineage, groupOf }: BoundParts, principal: Principal, asks: readonly Ask[]): Promise<number> {
  const runs = boundRuns(principal);
  if (runs === null) return -1;
  const [own] = runs;
  // A batch of logs names many task runs: one question for all of them.
  const tasks = asks.flatMap((ask) => (objectOf(ask).type === 'TaskRun' ? (parseUuid(objectOf(ask).id ?? '') ?? []) : []));
  const flowRuns = own === undefined || lineage === undefined ? new Map() : await lineage.flowRunsOf([...new Set(tasks)]);
  const within = await Promise.all(asks.map((ask) => isWithin({ lineage, own, flowRuns, read: isRead(groupOf(ask.action)) }, ask)));
  return within.indexOf(false);
}

interface Bound {
  readonly lineage: RunLineage | undefined;
  /** Undefined: the run does not say which one it is. */
  readonly own: string | undefined;
  readonly flowRuns: ReadonlyMap<string, string | null>;
  /** Nothing is changed. */
  readonly read: boolean;
}

async function isWithin(bound: Bound, ask: Ask): Promise<boolean> {
  const target = objectOf(ask);
  // Several runs write versions of the same artifact key, so only scopes decide its owner.
  if (!IN_RUNS.includes(target.type) || (target.type === 'Artifact' && (bound.read || target.named === true))) return true;
  // No id: a list, or a new run. For a related object it is an unreadable id.
  if (target.id === null) return ask.on?.kind !== 'related';
  const relation = await relationOf(bound, target);
  return relation === 'own' || relation === 'descendant' || relation === 'absent' || (relation === 'ancestor' && bound.read);
}

const IN_RUNS: readonly Located['type'][] = ['FlowRun', 'TaskRun', 'Artifact'];

async function relationOf({ lineage, own, flowRuns }: Bound, { type, id }: Located): Promise<Relation> {
  const uuid = parseUuid(id ?? '');
  if (uuid === undefined || own === undefined) return 'foreign';
  if (type === 'FlowRun' && uuid === own) return 'own';
  if (lineage === undefined) return 'foreign';
  if (type === 'FlowRun') return lineage.relation(own, uuid);
  const flowRun = type === 'Artifact' ? await lineage.flowRunOfArtifact(uuid) : flowRuns.get(uuid);
  if (flowRun === undefined) return 'absent';
  // Every principal that may write artifacts may write one without a run; a task run without a flow run is another principal's background task.
  if (flowRun === null) return type === 'Artifact' ? 'own' : 'foreign';
  return lineage.relation(own, flowRun);
}

function isRead(group: ActionGroup | undefined): boolean {
  return group === 'read' || group === 'secrets' || group === 'baseline';
}

/** The bodies of these actions name runs, so Lictor reads them before it forwards a run's request. */
const NAMING: readonly string[] = ['logs.write', 'artifacts.write', 'task_runs.create', 'concurrency.slots'];

/**
 * Actions that affect more than the object in the path, for principals with scopes and for every run. A lease belongs to its taker, though the
 * role may be on everything that a scope covers; a task run that begins takes the slots of its tags, and a state may name what others have cached.
 */
const BEYOND_PATH: readonly string[] = ['concurrency.lease', 'task_runs.set_state'];

export function mustBeRead(principal: Principal, { action, idParam }: Pick<Operation, 'action' | 'idParam'>): boolean {
  const chain = chainOf(principal);
  const isRun = chain.some(({ kind }) => kind === 'run');
  if (BEYOND_PATH.includes(action)) return isRun || chain.some(hasScopes);
  return isRun && idParam === null && NAMING.includes(action);
}
