// An action as a person says it: `deployments.write` by POST is "create deployments".
import type { ActionName } from '../../contract/operation.ts';

/** Actions whose name alone does not say what they do. */
const PHRASES: Readonly<Record<ActionName, string>> = {
  'access.read': 'read who may do what',
  'access.write': 'change tokens, sessions and locks',
  'admin.settings.read_all': 'read all settings of the server',
  'admin.settings.read': 'read settings of the server',
  'admin.storage.read': 'read the result storage of the server',
  'admin.storage.write': 'change the result storage of the server',
  'automations.delete_owned': 'delete the automations of an object',
  'automations.toggle': 'pause or resume automations',
  'automations.write.unbounded': 'write automations with webhooks, notifications or inferred targets',
  'blocks.read_secrets': 'read secrets of blocks',
  'blocks.schema.delete': 'delete block types',
  'blocks.schema.install': 'install block types',
  'blocks.schema.read': 'read block types',
  'blocks.schema.write': 'write block types',
  'blocks.write.webhook': 'write blocks whose address the server calls',
  'concurrency.delete': 'delete concurrency limits',
  'concurrency.lease': 'renew leases of concurrency slots',
  'concurrency.read': 'read concurrency limits',
  'concurrency.reset': 'reset concurrency limits',
  'concurrency.slots': 'take or release concurrency slots',
  'concurrency.write': 'write concurrency limits',
  'deployments.run.override': 'start runs with job_variables, another queue or another state',
  'deployments.run.parameters': 'start runs with parameters',
  'deployments.run': 'start runs of deployments',
  'deployments.schedule_runs': 'schedule runs of deployments',
  'deployments.schedule.write': 'write schedules of deployments',
  'deployments.write.override': 'change job_variables, code or work pool of deployments',
  'deployments.write.unsafe': 'write pull steps with git options',
  'events.write': 'send events',
  'flow_runs.force': 'force states of flow runs',
  'flow_runs.input.read': 'read inputs of flow runs',
  'flow_runs.input.write': 'send inputs to flow runs',
  'flow_runs.labels': 'label flow runs',
  'flow_runs.set_state.bulk': 'set the states of many flow runs',
  'flow_runs.set_state': 'set the state of flow runs',
  'flow_runs.update.override': 'change job_variables or parameters of flow runs',
  'gateway.read': 'read the health of the gateway',
  'ledger.read': 'read the audit records',
  'logs.write': 'write logs',
  'policies.write': 'apply policies',
  'runner.poll': 'poll for runs of deployments',
  'services.call': 'call this route of the service',
  'services.connect': 'connect to this host',
  'system.debug': 'read debug pages of the server',
  'system.metrics': 'read metrics of the server',
  'task_runs.set_state': 'set the state of task runs',
  'task_worker.subscribe': 'wait for background tasks',
  'templates.validate': 'validate templates',
  'ui.read': 'read pages of the UI',
  'ui.validate': 'validate values against a schema',
  'worker.connect': 'connect as a worker',
  'worker.heartbeat': 'send heartbeats of a worker',
  'worker.poll': 'poll work pools for runs',
};

const WRITES: Readonly<Record<string, string>> = { POST: 'create', PUT: 'change', PATCH: 'change', DELETE: 'delete' };

/** `method` is the request's own; without it a write stays a write. */
export function actionWords(action: ActionName, method = ''): string {
  const phrase = Object.hasOwn(PHRASES, action) ? PHRASES[action] : undefined;
  const words = phrase ?? `${action.slice(action.lastIndexOf('.') + 1)} ${action.slice(0, action.lastIndexOf('.')).replaceAll(/[._]/g, ' ')}`;
  const verb = Object.hasOwn(WRITES, method) ? WRITES[method] : undefined;
  return isPlainWrite(action) && verb !== undefined ? words.replace(/^write\b/, verb) : words;
}

function isPlainWrite(action: ActionName): boolean {
  return action.endsWith('.write') && action !== 'logs.write';
}
