// All actions with their groups: those of the routes, and those that a body or a query turns a request into.

import { CONNECT_ACTION } from '../../contract/destination.ts';
import { LictorError } from '../../contract/error.ts';
import type { ActionGroup, ActionName, Operation, ResourceType } from '../../contract/operation.ts';
import { CALL_ACTION } from '../../contract/service-call.ts';
import { READ_SECRETS } from './query.ts';

/** An action with its group and its resource types. */
export interface ActionEntry {
  readonly name: ActionName;
  readonly group: ActionGroup;
  readonly resources: readonly ResourceType[];
}

/**
 * Actions that are no route's own action.
 * - `task_runs.set_state`: also for creating a run below a task run (`parent_task_run_id`), on that task run: Prefect copies the run's states to it.
 * - `deployments.run.parameters`, `.override`: asked besides `deployments.run`, when the body has parameters, or anything else
 *   that changes what is executed (job variables, queue, state, `enforce_parameter_schema: false`; a run made through
 *   `POST /flow_runs/` with a deployment, pool, queue or job variables).
 * - `flow_runs.cancel`, `.retry`, `.pause`: `set_state` by the type and name of the state, instead of `flow_runs.set_state`.
 *   They include `force`: the UI and the CLI always send it with these three (Prefect 3.9.1). With `data`, `flow_runs.set_state` is asked besides.
 * - `flow_runs.force`: asked besides `flow_runs.set_state`, for any other state with `force: true`. The run's own process needs it.
 * - `flow_runs.update.override`: asked besides `flow_runs.update`, when a PATCH has `job_variables` or `parameters`.
 * - `blocks.read_secrets`: instead of `blocks.read`, when query or body ask for secrets; besides any write whose templates or
 *   references read a block. `variables.read` likewise.
 * - `deployments.write.override`, `work_pools.write.override`: asked besides the write, when it changes what workers execute.
 * - `deployments.write.unsafe`: asked besides, when a pull step's git argument starts with a dash (CVE-2026-5366).
 * - `work_pools.pause`, `work_queues.pause`, `deployments.pause`: instead of the write, when the body only pauses or resumes.
 * - `automations.write.unbounded`: asked besides any change of an automation whose actions reach further than it says: inferred
 *   targets, webhooks, notifications, kinds that are not known here.
 * - `blocks.write.webhook`: asked besides any change of a block whose address the server itself calls.
 * - `ledger.read`: the audit records; on flow runs and deployments, only records about those objects in the principal's scopes. This and the next four: on Lictor's own pages and API, never on a route of Prefect.
 * - `access.read`: who may do what: principals, tokens, sessions, sockets, locks, policies. `access.write`: changes of those, without policies.
 * - `policies.write`: apply own policies. `gateway.read`: health and traffic of the gateway.
 * - `services.call`: a call of a service by one of its routes (src/authorization/decide/service-calls.ts).
 * - `services.connect`: a connection to an external host through the forward proxy (src/authorization/decide/host-connects.ts).
 * - `admin.settings.read_all`: without it `GET /admin/settings` is redacted.
 */
export const EXTRA_ACTIONS: readonly ActionEntry[] = [
  { name: 'deployments.run.parameters', group: 'steer', resources: ['Deployment'] },
  { name: 'deployments.run.override', group: 'override', resources: ['Deployment', 'FlowRun'] },
  { name: 'flow_runs.cancel', group: 'steer', resources: ['FlowRun'] },
  { name: 'flow_runs.retry', group: 'steer', resources: ['FlowRun'] },
  { name: 'flow_runs.pause', group: 'steer', resources: ['FlowRun'] },
  { name: 'flow_runs.force', group: 'machine', resources: ['FlowRun'] },
  { name: 'flow_runs.update.override', group: 'override', resources: ['FlowRun'] },
  { name: 'deployments.write.override', group: 'override', resources: ['Deployment'] },
  { name: 'deployments.write.unsafe', group: 'admin', resources: ['Deployment'] },
  { name: 'work_pools.write.override', group: 'override', resources: ['WorkPool'] },
  { name: 'work_pools.pause', group: 'configure', resources: ['WorkPool'] },
  { name: 'work_queues.pause', group: 'configure', resources: ['WorkQueue', 'WorkPool'] },
  { name: 'automations.write.unbounded', group: 'admin', resources: ['Automation'] },
  { name: 'blocks.write.webhook', group: 'admin', resources: ['BlockDocument'] },
  { name: 'admin.settings.read_all', group: 'admin', resources: ['System'] },
  { name: 'ledger.read', group: 'admin', resources: ['System', 'FlowRun', 'Deployment'] },
  { name: 'access.read', group: 'admin', resources: ['System'] },
  { name: 'access.write', group: 'admin', resources: ['System'] },
  { name: 'policies.write', group: 'admin', resources: ['System'] },
  { name: 'gateway.read', group: 'admin', resources: ['System'] },
  { name: CALL_ACTION, group: 'services', resources: ['ServiceRoute'] },
  { name: CONNECT_ACTION, group: 'services', resources: ['Host'] },
  { name: READ_SECRETS, group: 'secrets', resources: ['BlockDocument', 'BlockType'] },
];

/** The actions that a body may request instead. All are for the operation's own resource type. */
export const ALTERNATIVES: Readonly<Record<ActionName, readonly ActionName[]>> = {
  'flow_runs.set_state': ['flow_runs.cancel', 'flow_runs.retry', 'flow_runs.pause'],
  'blocks.read': [READ_SECRETS],
  'deployments.write': ['deployments.pause'],
  'deployments.schedule.write': ['deployments.pause'],
  'work_pools.write': ['work_pools.pause'],
  'work_queues.write': ['work_queues.pause'],
};

/**
 * The actions of which one must be permitted for a mediated request to be allowed at all, whatever its body says.
 * The decision before the body is read asks for one of these; the mediator then asks exactly.
 */
export function alternativeActions(operation: Operation): readonly ActionName[] {
  const isDecidedByBody = operation.taken === 'mediated' && Object.hasOwn(ALTERNATIVES, operation.action);
  return [operation.action, ...(isDecidedByBody ? (ALTERNATIVES[operation.action] ?? []) : [])];
}

/** Every action once, with all resource types it is used on. Throws LictorError `catalogue-invalid` when an action is in two groups. */
export function collectActions(operations: readonly Operation[], extra: readonly ActionEntry[] = EXTRA_ACTIONS): readonly ActionEntry[] {
  const byName = new Map<ActionName, ActionEntry>();
  const routes = operations.map(({ action, group, resource }): ActionEntry => ({ name: action, group, resources: [resource] }));
  for (const entry of [...routes, ...extra]) byName.set(entry.name, merge(byName.get(entry.name), entry));
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function merge(known: ActionEntry | undefined, entry: ActionEntry): ActionEntry {
  if (known === undefined) return entry;
  if (known.group !== entry.group) {
    throw new LictorError('catalogue-invalid', 'The action catalogue contradicts itself.', {
      detail: `${entry.name} is in the groups ${known.group} and ${entry.group}`,
    });
  }
  return { ...known, resources: [...new Set([...known.resources, ...entry.resources])] };
}
