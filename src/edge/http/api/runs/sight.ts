// What a reader sees of runs: the runs in its scopes, and their names if it may read them in Prefect too.
import type { RecordReader } from '../../../../contract/record-reader.ts';
import type { RunHead } from '../../../../record/timeline/pages/head.ts';
import type { TimelineRow } from '../../../../record/timeline/pages/row.ts';
import type { Start } from '../../../../record/timeline/start.ts';
import type { CallContext } from '../api-route.ts';

/** The right to read the ledger does not include the names of Prefect's objects. A limited reader needs both rights on the same runs. */
export async function seesNames({ inputs, reader, parts: { decider } }: Pick<CallContext, 'inputs' | 'reader' | 'parts'>): Promise<boolean> {
  const runs = await decider.authorizeOwnList(inputs, 'flow_runs.read', 'FlowRun');
  const deployments = await decider.authorizeOwnList(inputs, 'deployments.read', 'Deployment');
  if (!runs.ok || !deployments.ok) return false;
  const own = reader.everything ? { runs: [], objects: [] } : reader;
  return isSame(runs.restrictions, own.runs) && isSame(deployments.restrictions, own.objects);
}

/** Whether Prefect shows this run to the reader. False while Prefect does not answer. */
export async function isReadable({ inputs, parts }: Pick<CallContext, 'inputs' | 'parts'>, run: string): Promise<boolean> {
  const runs = await parts.decider.authorizeOwnList(inputs, 'flow_runs.read', 'FlowRun');
  if (!runs.ok || runs.restrictions.length === 0) return runs.ok;
  const covered = parts.coveredObjects({ everything: false, runs: runs.restrictions, objects: null })('FlowRun', [run]);
  return (await covered.catch(() => new Set())).has(run);
}

function isSame(restrictions: unknown, extent: RecordReader['runs']): boolean {
  return JSON.stringify(restrictions) === JSON.stringify(extent);
}

/** Returns those of these runs that the reader sees. */
export async function seenRuns({ reader, parts }: Pick<CallContext, 'reader' | 'parts'>, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (reader.everything) return new Set(ids);
  return ids.length === 0 ? new Set() : parts.coveredObjects(reader)('FlowRun', [...new Set(ids)]);
}

/** Every run that these rows name. */
export function runsIn(run: RunHead | null, rows: readonly TimelineRow[]): readonly string[] {
  const nested = rows.flatMap(({ kind, flow_run_id, object_id }) => [flow_run_id, ...(kind === 'run' && object_id !== null ? [object_id] : [])]);
  return [...(run === null ? [] : [run.id, ...parentsOf(run.started_by)]), ...nested];
}

function parentsOf({ parent }: Start): readonly string[] {
  return parent === null ? [] : [parent.flow_run_id, ...parentsOf(parent.start)];
}

/** A limited reader sees no event of the gateway, no other object of Prefect, and no request that only claims the run: any client can claim any run. */
export function isSeenRow({ kind, lane, binding, flow_run_id, object_id }: TimelineRow, seen: ReadonlySet<string>): boolean {
  if (kind === 'gateway' || binding === 'asserted' || !seen.has(flow_run_id)) return false;
  if (kind === 'run') return object_id !== null && seen.has(object_id);
  return lane !== 'event' || object_id === `prefect.flow-run.${flow_run_id}`;
}

export function seenHead(head: RunHead, seen: ReadonlySet<string>): RunHead {
  return { ...head, started_by: seenStart(head.started_by, seen) };
}

/** `by` is an automation or a schedule, perhaps of another team. */
function seenStart(start: Start, seen: ReadonlySet<string>): Start {
  const { parent } = start;
  const own = parent !== null && seen.has(parent.flow_run_id) ? { ...parent, start: seenStart(parent.start, seen) } : null;
  return { ...start, by: null, parent: own };
}
