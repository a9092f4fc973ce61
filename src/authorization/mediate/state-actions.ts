// The rights that setting a state needs, by its type: control of a run by people, or the protocol of workers and runs.

import type { JsonValue } from '../../contract/json/tree.ts';
import type { ActionName } from '../../contract/operation.ts';

/** All other types are the protocol of workers and runs. */
const CONTROL: Readonly<Record<string, ActionName>> = {
  CANCELLING: 'flow_runs.cancel',
  CANCELLED: 'flow_runs.cancel',
  PAUSED: 'flow_runs.pause',
  SCHEDULED: 'flow_runs.retry',
};

const PROTOCOL = 'flow_runs.set_state';

/** The rights that a state needs, the main one first. Cancel, pause and retry include force: the UI always sends it. */
export function stateActions(type: string, force: boolean): readonly ActionName[] {
  const main = Object.hasOwn(CONTROL, type) ? CONTROL[type] : undefined;
  if (main !== undefined) return [main];
  return force ? [PROTOCOL, 'flow_runs.force'] : [PROTOCOL];
}

/**
 * Adds the right of the protocol if the state has `data`: it says where the run's result is stored and which serializer reads it, which may be
 * pickle. Only runs report it, also with a state of control. Of stock clients of 3.9.1 the UI sends none, and the CLI null.
 */
export function withResult(actions: readonly ActionName[], data: JsonValue | undefined): readonly ActionName[] {
  return (data ?? null) === null || actions.includes(PROTOCOL) ? actions : [...actions, PROTOCOL];
}
