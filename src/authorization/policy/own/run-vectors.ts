// Runs decision vectors against the policies of the same directory and the built-in ones.

import type { Problem } from '../../../config/problem.ts';
import { nearestName } from '../../../config/suggest.ts';
import type { Decision, FactValue } from '../../../contract/decision.ts';
import { bareEntity, type Entity } from '../../../contract/entity.ts';
import type { ResourceType } from '../../../contract/operation.ts';
import { everywhere } from '../../../contract/scope.ts';
import type { ActionEntry } from '../../../prefect/catalog/actions.ts';
import { createEngineOfChecked, type PolicyEngine } from '../engine.ts';
import { FACTS, isFactName } from '../facts.ts';
import { loadBuiltInPolicies } from '../policies.ts';
import type { OwnPolicies } from './check.ts';
import { parameterValueProblem } from './parameter-values.ts';
import { parseVectors, type Vector } from './vectors.ts';

export interface VectorResults {
  readonly problems: readonly Problem[];
  /** How many vectors there are. */
  readonly count: number;
  readonly outcomes: readonly VectorOutcome[];
}

export interface VectorOutcome {
  readonly file: string;
  readonly line: number | null;
  readonly name: string;
  readonly action: string;
  readonly expect: 'allow' | 'deny';
  /** Why it fails; null: it holds. */
  readonly problem: string | null;
}

/** `policies` must be valid. Problems name files by the keys of `policies.files`. */
export function runVectors(actions: readonly ActionEntry[], policies: OwnPolicies): VectorResults {
  const files = Object.entries(policies.files).filter(([name]) => name.endsWith('.vectors.yaml'));
  if (files.length === 0) return { problems: [], count: 0, outcomes: [] };
  const engine = createEngineOfChecked({ actions, revision: 0, policies: { ...loadBuiltInPolicies(), ...policies.texts } });
  const parsed = files.map(([name, text]) => parseVectors(name, text));
  const run = parsed.flatMap((file) => file.vectors).map((vector) => ({ vector, problems: runOne(vector, actions, engine) }));
  return {
    problems: [...parsed.flatMap(({ problems }) => problems), ...run.flatMap(({ problems }) => problems)],
    count: run.length,
    outcomes: run.map(({ vector, problems }) => outcomeOf(vector, problems)),
  };
}

function outcomeOf(vector: Vector, problems: readonly Problem[]): VectorOutcome {
  const { file, name, action, expect } = vector;
  const said = `vector ${JSON.stringify(name)}: `;
  const messages = problems.map(({ message }) => (message.startsWith(said) ? message.slice(said.length) : message));
  return { ...{ file, name, action, expect }, line: vector.lineOf() ?? null, problem: messages.length === 0 ? null : messages.join('; ') };
}

function runOne(vector: Vector, actions: readonly ActionEntry[], engine: PolicyEngine): readonly Problem[] {
  const { principal, action, resource, context } = vector;
  const mistakes = checkVector(vector, actions, engine);
  const type = typeOf(vector, actions);
  if (mistakes.length > 0 || type === undefined) return mistakes;
  const { tags, flow, deployment, work_pool, initiators, idp = null, ...who } = principal;
  const decision = engine.evaluate({
    principal: { ...who, idp, grants: everywhere(principal.roles), groups: [], attributes: {}, onBehalfOf: [] },
    attributes: known({ tags, flow, deployment, work_pool, initiators }),
    action,
    resource: { type, id: resource.id ?? null },
    entity: entityOf(type, resource),
    context,
  });
  return fits(vector, decision) ? [] : [problem(vector, 'expect', differs(vector, decision), 'Correct the policies, or the vector if it is what has changed.')];
}

/** Null: the vector has no attributes of the resource, as when Lictor has not looked it up. */
function entityOf(type: ResourceType, { type: _, id, ...said }: Vector['resource']): Entity | null {
  if (Object.keys(said).length === 0) return null;
  const { name = null, tags = [], work_pool: workPool = null, work_queue: workQueue = null, flow = null, deployment = null, owner = null, state = null } = said;
  return bareEntity(type, { id: id ?? null, name, tags, workPool, workQueue, flow, deployment, owner, state, labels: said.labels ?? {} });
}

/** The attributes of the run that calls a service. */
function known(attributes: Readonly<Record<string, string | string[] | undefined>>): Record<string, string | string[]> {
  return Object.fromEntries(Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

function fits({ expect, policies }: Vector, decision: Decision): boolean {
  return decision.effect === expect && (policies === undefined || same(policies, decision.policies));
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify(a.toSorted()) === JSON.stringify(b.toSorted());
}

function differs({ expect, policies }: Vector, { effect, policies: by }: Decision): string {
  const expected = policies === undefined ? '' : ` by ${names(policies)}`;
  return `expected ${expect}${expected}, and it is ${effect} by ${names(by)}`;
}

function names(policies: readonly string[]): string {
  return policies.length === 0 ? 'no policy' : policies.toSorted().join(', ');
}

function typeOf({ action, resource }: Vector, actions: readonly ActionEntry[]): ResourceType | undefined {
  const types = actions.find(({ name }) => name === action)?.resources ?? [];
  return resource.type ?? (types.length === 1 ? types[0] : undefined);
}

/** A vector with unknown names would test nothing. */
function checkVector(vector: Vector, actions: readonly ActionEntry[], engine: PolicyEngine): readonly Problem[] {
  const entry = actions.find(({ name }) => name === vector.action);
  if (entry === undefined) {
    const known = actions.map(({ name }) => name);
    return [
      problem(vector, 'action', `there is no action ${JSON.stringify(vector.action)}`, suggestion(vector.action, known, 'docs/reference/roles.md lists them.')),
    ];
  }
  const problems: Problem[] = [];
  const type = typeOf(vector, actions);
  const types = entry.resources.join(', ');
  if (type === undefined) problems.push(problem(vector, 'resource', `${vector.action} is for several types`, `Write resource: { type: ... }: ${types}.`));
  else if (!entry.resources.includes(type)) problems.push(problem(vector, 'resource', `${vector.action} is never asked on ${type}`, `It is for ${types}.`));
  for (const [name, value] of Object.entries(vector.context.facts)) {
    const wrong = wrongFact(name, value);
    if (wrong !== undefined) problems.push(problem(vector, 'context', wrong.message, wrong.remedy));
  }
  for (const id of (vector.policies ?? []).filter((name) => !engine.policies.includes(name))) {
    problems.push(problem(vector, 'policies', `there is no policy ${JSON.stringify(id)}`, suggestion(id, engine.policies, 'Policies are named by their @id.')));
  }
  return problems;
}

const VALUES = { Boolean: 'boolean', String: 'string', Long: 'number', Set: 'list' } as const;

function wrongFact(name: string, value: FactValue): Pick<Problem, 'message' | 'remedy'> | undefined {
  if (!isFactName(name))
    return { message: `there is no fact ${JSON.stringify(name)}`, remedy: suggestion(name, Object.keys(FACTS), 'docs/reference/policies.md lists them.') };
  const type = FACTS[name];
  if (name === 'parameter_values' && isTexts(value)) return wrongValue(value);
  return (Array.isArray(value) ? 'list' : typeof value) === VALUES[type]
    ? undefined
    : { message: `the fact ${name} is a ${type}`, remedy: `Write a value of that type.` };
}

function isTexts(value: FactValue): value is readonly string[] {
  return Array.isArray(value);
}

/** No question has such a value, so the vector would test nothing. */
function wrongValue(values: readonly string[]): Pick<Problem, 'message' | 'remedy'> | undefined {
  const wrong = values.find((value) => parameterValueProblem(value) !== undefined);
  return wrong === undefined ? undefined : { message: `parameter_values never holds ${JSON.stringify(wrong)}`, remedy: parameterValueProblem(wrong) ?? '' };
}

function suggestion(given: string, known: readonly string[], otherwise: string): string {
  const near = nearestName(given, known);
  return near === undefined ? otherwise : `Did you mean ${near}?`;
}

function problem(vector: Vector, key: 'action' | 'resource' | 'context' | 'expect' | 'policies', message: string, remedy: string): Problem {
  const line = vector.lineOf(key) ?? vector.lineOf();
  return { path: '', file: vector.file, ...(line !== undefined && { line }), message: `vector ${JSON.stringify(vector.name)}: ${message}`, remedy };
}
