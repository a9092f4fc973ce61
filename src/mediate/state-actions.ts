// What setting a state means, by its type: steering a run, or the protocol of workers and runs.
import type { ActionName } from '../contract/operation.ts';

/** Everything else is the protocol of workers and runs. */
const MEANING: Readonly<Record<string, ActionName>> = {
  CANCELLING: 'flow_runs.cancel',
  CANCELLED: 'flow_runs.cancel',
  PAUSED: 'flow_runs.pause',
  SCHEDULED: 'flow_runs.retry',
};

/** The rights that a state needs, the main one first. Cancel, pause and retry include force: the UI always sends it. */
export function stateActions(type: string, force: boolean): readonly ActionName[] {
  const main = Object.hasOwn(MEANING, type) ? MEANING[type] : undefined;
  if (main !== undefined) return [main];
  return force ? ['flow_runs.set_state', 'flow_runs.force'] : ['flow_runs.set_state'];
}
