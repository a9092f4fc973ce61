// What the body asks for, as policies may see it: `context.facts.force`. One place, so that mediator and schema agree.

/** Cedar's type of each fact. A fact that is not here is not shown to policies; none of them can mention it. */
export const FACTS = {
  /** `set_state` with `force: true`. */
  force: 'Boolean',
  /** The state asked for: Prefect's type in upper case, and its name. */
  state_type: 'String',
  state_name: 'String',
  /** The body has parameters, or job variables, that are not empty. */
  parameters: 'Boolean',
  /** Of the parameters that the request gives, where a policy looks at them: names, and `NAME=VALUE` in canonical JSON. */
  parameter_names: 'Set',
  parameter_values: 'Set',
  /** A value cannot be known: its text is `NAME=?`. */
  parameters_unreadable: 'Boolean',
  job_variables: 'Boolean',
  include_secrets: 'Boolean',
  /** What a write of a deployment sets to something new. */
  pull_steps: 'Boolean',
  /** Entry point, path, or the blocks with code or infrastructure. */
  entrypoint: 'Boolean',
  /** Work pool or work queue. */
  work_pool: 'Boolean',
  /** The schema of the parameters, or whether it is enforced. */
  parameter_schema: 'Boolean',
  schedules: 'Boolean',
  /** What a write of a work pool sets to something new: its template, or where bundles of code are stored. */
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

/** What stands for a value that cannot be known; no JSON is written so. */
export const UNKNOWN = '?';

/** On these actions they are there. */
export const PARAMETER_ACTIONS: readonly string[] = [
  ...['deployments.run', 'deployments.run.parameters', 'deployments.run.override', 'deployments.write', 'deployments.write.override'],
  ...['deployments.schedule.write', 'flow_runs.create', 'flow_runs.update', 'flow_runs.update.override'],
];

export function isFactName(name: string): name is FactName {
  return Object.hasOwn(FACTS, name);
}
