// The facts about a request's body for policies, as in `context.facts.force`. Mediator and schema share them.

/** Cedar's type of each fact. Policies cannot read a fact that is not here. */
export const FACTS = {
  /** `set_state` with `force: true`. */
  force: 'Boolean',
  /** The state asked for: Prefect's type in upper case, and its name. */
  state_type: 'String',
  state_name: 'String',
  /** The body has parameters, or job variables, that are not empty. */
  parameters: 'Boolean',
  /** The given parameters, if a policy reads them: names, and `NAME=VALUE` in canonical JSON. */
  parameter_names: 'Set',
  parameter_values: 'Set',
  /** A value is unknown: its text is `NAME=?`. */
  parameters_unreadable: 'Boolean',
  job_variables: 'Boolean',
  include_secrets: 'Boolean',
  /** Fields of a deployment that a write changes. */
  pull_steps: 'Boolean',
  /** Entry point, path, or the blocks with code or infrastructure. */
  entrypoint: 'Boolean',
  /** Work pool or work queue. */
  work_pool: 'Boolean',
  /** The schema of the parameters, or whether it is enforced. */
  parameter_schema: 'Boolean',
  schedules: 'Boolean',
  /** A write of a work pool changes its template, or the storage of code bundles. */
  base_job_template: 'Boolean',
  /** The body pauses or resumes: `paused`, `is_paused`, `active`, `enabled`. */
  pauses: 'Boolean',
  concurrency: 'Boolean',
  /** A concurrency limit's slots in use are set by hand. */
  slots: 'Boolean',
  /** The object gets another name. */
  renames: 'Boolean',
  /** How many objects a bulk request is about. */
  count: 'Long',
  /** Of a call of a service: its name, the method, and the pattern of the route. */
  service: 'String',
  method: 'String',
  route: 'String',
  /** Of a connection through the forward proxy: the name and the port. */
  host: 'String',
  port: 'Long',
} as const satisfies Record<string, 'Boolean' | 'String' | 'Long' | 'Set'>;

export type FactName = keyof typeof FACTS;

/** Collected only where a policy reads one of them. */
export const PARAMETER_FACTS = ['parameter_names', 'parameter_values', 'parameters_unreadable'] as const satisfies readonly FactName[];

/** The text of an unknown value. It is no JSON. */
export const UNKNOWN = '?';

/** The actions with parameter facts. */
export const PARAMETER_ACTIONS: readonly string[] = [
  ...['deployments.run', 'deployments.run.parameters', 'deployments.run.override', 'deployments.write', 'deployments.write.override'],
  ...['deployments.schedule.write', 'flow_runs.create', 'flow_runs.update', 'flow_runs.update.override'],
];

export function isFactName(name: string): name is FactName {
  return Object.hasOwn(FACTS, name);
}
