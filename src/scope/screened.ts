// Reads whose answers name other objects than the one that is asked for: the run that started a run, the task runs that hold a slot; or what others have written on a flow.
import type { ActionName } from '../contract/operation.ts';

const SCREENED: readonly ActionName[] = [
  'flow_runs.read',
  'task_runs.read',
  'deployments.read',
  'concurrency.read',
  'runner.poll',
  'worker.poll',
  'flows.read',
];

/** True: whoever reads it by a scope gets the answer without what the scope does not cover (src/reach/others.ts). */
export function isScreenedRead(action: ActionName): boolean {
  return SCREENED.includes(action);
}
