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
  job_variables: 'Boolean',
  include_secrets: 'Boolean',
  /** How many objects a bulk request names; its filter may match others. */
  count: 'Long',
} as const satisfies Record<string, 'Boolean' | 'String' | 'Long'>;

export type FactName = keyof typeof FACTS;

export function isFactName(name: string): name is FactName {
  return Object.hasOwn(FACTS, name);
}
