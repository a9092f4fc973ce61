// What setting a state means, by its type: steering a run, or the protocol of workers and runs.

import type { JsonValue } from '../../contract/json/tree.ts';
import type { ActionName } from '../../contract/operation.ts';

/** Everything else is the protocol of workers and runs. */
const MEANING: Readonly<Record<string, ActionName>> = {
  CANCELLING: 'flow_runs.cancel',
  CANCELLED: 'flow_runs.cancel',
  PAUSED: 'flow_runs.pause',
  SCHEDULED: 'flow_runs.retry',
};

const PROTOCOL = 'flow_runs.set_state';

/** The rights that a state needs, the main one first. Cancel, pause and retry include force: the UI always sends it. */
export function stateActions(type: string, force: boolean): readonly ActionName[] {
  const main = Object.hasOwn(MEANING, type) ? MEANING[type] : undefined;
  if (main !== undefined) return [main];
  return force ? [PROTOCOL, 'flow_runs.force'] : [PROTOCOL];
}

/**
 * The rights, and that of the protocol where the state has `data`: it says where the result of the run is kept and what reads it, by pickle where
 * that says so. Only what runs tells that, also with a state that steers. Of stock clients of 3.9.1 the UI sends none, the CLI null.
 */
export function withResult(actions: readonly ActionName[], data: JsonValue | undefined): readonly ActionName[] {
  return (data ?? null) === null || actions.includes(PROTOCOL) ? actions : [...actions, PROTOCOL];
}
