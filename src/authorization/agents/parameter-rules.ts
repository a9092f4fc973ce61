// The rules of an agent for the parameters of runs: they must meet each JSON Schema of the deployment. Job variables are never for agents.
//
// The facts of each ask have the parameters, whatever way they come: with a run, a bulk, a form, an update, a schedule, an automation.
import type { Agent } from '../../config/config.ts';
import type { Entity } from '../../contract/entity.ts';
import { compileSchemaRule, type SchemaRule } from '../../contract/json/schema-rule.ts';
import { matchesName } from '../../contract/scope/covers.ts';
import type { Entities } from '../../prefect/client/entities.ts';
import type { Ask } from '../decide/asks.ts';
import type { Condition } from '../mediate/conditions.ts';
import { asksOf, type Refusal } from '../mediate/handler.ts';
import { givenParameters } from '../mediate/parameter-facts.ts';
import type { AgentBook } from './agent-book.ts';

export interface ParameterRuleParts {
  readonly book: AgentBook;
  readonly agents: readonly Agent[];
  readonly entities: Pick<Entities, 'find' | 'created'>;
}

interface Rule {
  /** `FLOW/NAME`, or with a `*` at its end. */
  readonly deployments: string;
  readonly problemOf: SchemaRule;
}

export function createParameterRules({ book, agents, entities }: ParameterRuleParts): Condition {
  const rules = new Map(agents.map(({ name, parameters }) => [name, parameters.map(compileRule)]));
  return {
    concerns: (principal) => book.of(principal).length > 0,
    reads: ({ taken }) => taken === 'mediated',
    readsParameters: (principal) => book.of(principal).some(({ parameters }) => parameters.length > 0),
    async check({ call, plan, authorization: { principal } }) {
      const asks = asksOf(call, plan.asks);
      const overrides = asks.some(({ action, facts }) => action === 'deployments.run.override' || facts?.['job_variables'] === true);
      if (overrides) return { ok: false, refusal: { code: 'job-variables-refused' } };
      const deploymentOf = readingOnce(entities);
      for (const { name } of book.of(principal)) {
        const refusal = await refusalBy({ agent: name, rules: rules.get(name) ?? [], deploymentOf }, asks);
        if (refusal !== undefined) return { ok: false, refusal };
      }
      return { ok: true };
    },
  };
}

/** lictor.yaml has checked the schema. One that cannot be compiled refuses everything. */
function compileRule({ deployments, schema }: Agent['parameters'][number]): Rule {
  const compiled = compileSchemaRule(schema);
  return { deployments, problemOf: compiled.ok ? compiled.problemOf : () => 'parameters have a rule that cannot be read' };
}

interface OfAgent {
  readonly agent: string;
  readonly rules: readonly Rule[];
  readonly deploymentOf: DeploymentOf;
}

async function refusalBy({ agent, rules, deploymentOf }: OfAgent, asks: readonly Ask[]): Promise<Refusal | undefined> {
  if (rules.length === 0) return undefined;
  for (const ask of asks.filter(givesParameters)) {
    const deployment = await deploymentOf(ask);
    const holding = deployment === null ? [] : rules.filter(({ deployments }) => matchesName(deployments, deployment));
    const given = givenParameters(ask.facts ?? {});
    for (const { deployments, problemOf } of holding) {
      const problem = given === undefined ? UNREADABLE : problemOf(given);
      if (problem !== undefined) return { code: 'parameters-refused', detail: `The rule of the agent ${agent} for ${deployments} refuses this: ${problem}.` };
    }
  }
  return undefined;
}

const UNREADABLE = 'parameters have a value that is unknown before Prefect fills it in, or too long to check';

/** A run without parameters gives an empty set, and an empty set removes all. A write that leaves them out changes none. */
function givesParameters({ action, facts }: Ask): boolean {
  const names = facts?.['parameter_names'];
  return action === 'deployments.run' || facts?.['parameters'] === true || (Array.isArray(names) && names.length > 0);
}

/** `FLOW/NAME` of the deployment, or of the run whose parameters change; null: none. */
type DeploymentOf = (ask: Ask) => Promise<string | null>;

/** The runs of a bulk are of one deployment. */
function readingOnce(entities: ParameterRuleParts['entities']): DeploymentOf {
  const read = new Map<string, Promise<Entity | null>>();
  return async ({ resource, on }) => {
    const key = JSON.stringify([resource, on]);
    const entity = read.get(key) ?? (on?.kind === 'created' ? entities.created(resource.type, on.fields, '') : entities.find(resource));
    read.set(key, entity);
    return (await entity)?.deployment ?? null;
  };
}
