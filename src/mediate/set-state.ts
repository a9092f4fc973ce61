// set_state and bulk_set_state: one route for people who cancel and retry and for the machines that run; the body says which.
//
// Measured with stock clients of 3.9.1. With force: the UI's CANCELLING and SCHEDULED (retry), the CLI's SCHEDULED (retry),
// the worker's CANCELLED, the engine's CRASHED and CANCELLING/CANCELLED, remote infrastructure's PENDING and FAILED.
// Without: the CLI's CANCELLING, the engine's RUNNING, COMPLETED, FAILED and PAUSED, the worker's PENDING.

import type { ActionName } from '../contract/operation.ts';
import type { Ask } from '../decide/decider.ts';
import { type Call, type Family, invalid, MEBIBYTE, ownResource, planned } from './family.ts';
import { field, isObject } from './tree.ts';

export const setState: Family = {
  operations: ['set_flow_run_state_flow_runs__id__set_state_post'],
  maxBytes: 8 * MEBIBYTE,
  plan: (call) => plan(call, []),
};

export const setStates: Family = {
  operations: ['bulk_set_flow_run_state_flow_runs_bulk_set_state_post'],
  maxBytes: 8 * MEBIBYTE,
  plan: (call) => plan(call, [call.operation.action]),
};

/** What the body's state type means. Everything else is the protocol of workers and runs. */
const MEANING: Readonly<Record<string, ActionName>> = {
  CANCELLING: 'flow_runs.cancel',
  CANCELLED: 'flow_runs.cancel',
  PAUSED: 'flow_runs.pause',
  SCHEDULED: 'flow_runs.retry',
};

function plan(call: Call, further: readonly ActionName[]) {
  const body = call.tree;
  if (!isObject(body)) return invalid('The body must be a JSON object.');
  const state = field(body, 'state');
  const type = isObject(state) ? field(state, 'type') : undefined;
  if (!isObject(state) || typeof type !== 'string') return invalid('state must be an object with a type.');
  const force = field(body, 'force') ?? false;
  if (typeof force !== 'boolean') return invalid('force must be true or false.');
  const resource = ownResource(call);
  const name = field(state, 'name');
  const facts = { state_type: type, force, ...(typeof name === 'string' && { state_name: name }) };
  const main = Object.hasOwn(MEANING, type) ? MEANING[type] : undefined;
  // Cancel, pause and retry include force: the UI always sends it.
  const actions = main === undefined ? ['flow_runs.set_state', ...further, ...(force ? ['flow_runs.force'] : [])] : [main, ...further];
  const asks: Ask[] = actions.map((action) => ({ action, resource, facts }));
  return planned({ asks, intent: true, rewrite: () => body });
}
