// The policy engine: Cedar, parsed once. May this principal do this action on this resource? Deny is a value.

import { createHash } from 'node:crypto';
import {
  type CheckParseAnswer,
  type DetailedError,
  type EntityJson,
  type PolicyJson,
  preparsePolicySet,
  type Response,
  type SchemaJson,
  type StatefulAuthorizationCall,
  statefulIsAuthorized,
  type ValidationError,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { ActionEntry } from '../catalog/actions.ts';
import type { Decision, DecisionContext, Resource } from '../contract/decision.ts';
import type { Entity } from '../contract/entity.ts';
import type { ActionName } from '../contract/operation.ts';
import type { Principal } from '../contract/principal.ts';
import { attributesOf } from './attributes.ts';
import { FACTS, isFactName } from './facts.ts';
import { createMemo } from './memo.ts';
import { invalid, loadBuiltInPolicies, type PolicyTexts } from './policies.ts';
import { actionsLookedInto, type Reads, readsAttributes, readsOfEach } from './reads.ts';
import { type Asked, createRelevance, withoutScope } from './relevant.ts';
import { ACTION, PRINCIPAL, ROLE, renderSchema } from './schema.ts';

export interface PolicyQuestion {
  readonly principal: Principal;
  readonly action: ActionName;
  readonly resource: Resource;
  readonly context: DecisionContext;
  /** Roles of the principal's scoped grants that hold for this question; none by default: a scope that nobody has looked at covers nothing. */
  readonly inForce?: readonly string[];
  /** What is known of the resource; left out: nothing, and policies that read its attributes do not apply. */
  readonly entity?: Entity | null;
  /** Attributes of the principal beside its kind (attributes.ts). */
  readonly caller?: Record<string, string | string[]>;
}

export interface PolicyEngine {
  /** Of the configuration and policies that it was made from. */
  readonly revision: number;
  /** Names of all policies. */
  readonly policies: readonly string[];
  /** True when a policy looks at what a resource is: then objects are looked up for everybody. */
  readonly readsAttributes: boolean;
  /** Synchronous; never throws for "no". What goes wrong inside Cedar is a deny, told to `onError`. */
  evaluate(question: PolicyQuestion): Decision;
}

export interface PolicyEngineOptions {
  /** `collectActions(OPERATIONS)`. */
  readonly actions: readonly ActionEntry[];
  readonly revision: number;
  /** Default: the built-in roles. */
  readonly policies?: PolicyTexts;
  /** For the log: a policy or request that Cedar could not evaluate. Never a secret. */
  readonly onError?: (detail: string) => void;
}

/** Reads, parses and checks the policies. Throws LictorError `policies-invalid` unless every one fits the schema. */
export function createPolicyEngine(options: PolicyEngineOptions): PolicyEngine {
  const policies = options.policies ?? loadBuiltInPolicies();
  checkPolicies(renderSchema(options.actions), policies);
  const parsed = preparse(policies, options.actions);
  const resourcesOf = new Map(options.actions.map((action) => [action.name, action.resources]));
  const onError = options.onError ?? (() => {});
  const memo = createMemo<StatefulAuthorizationCall, Response>();

  return {
    revision: options.revision,
    policies: Object.keys(policies),
    readsAttributes: Object.values(policies).some(readsAttributes),
    evaluate(question) {
      const decide = decisionFor(question, options.revision);
      // Cedar's own request validation would say the same, at twice the cost.
      if (!resourcesOf.get(question.action)?.includes(question.resource.type)) return decide('deny', 'policy-default-deny', []);
      const call = callOf(parsed, question);
      if (call === undefined) onError(`a fact of ${question.action} is not of its type`);
      const response = call === undefined ? undefined : memo.answer(call, (asked) => ask(asked, onError));
      if (response === undefined) return decide('deny', 'policy-default-deny', []);
      const { reason } = response.diagnostics;
      if (response.decision === 'allow') return decide('allow', 'policy-permits', reason);
      return decide('deny', reason.length > 0 ? 'policy-forbids' : 'policy-default-deny', reason);
    },
  };
}

/** What the validator says of them; a warning is a policy that can never match. Throws LictorError `policies-invalid` when they do not parse. */
export function validatePolicies(actions: readonly ActionEntry[], policies: PolicyTexts): Validation {
  return validation(renderSchema(actions), policies);
}

export interface Validation {
  readonly errors: readonly ValidationError[];
  readonly warnings: readonly ValidationError[];
  /** Of the text as such: letters that look like others. */
  readonly other: readonly DetailedError[];
}

interface Parsed {
  /** A set that holds every policy which can say anything about the question. */
  readonly setFor: (asked: Asked) => PreparsedSet;
  /** This action, and those that policies look into, as Cedar is told of them: each in its group. */
  readonly actionsFor: (name: string) => readonly EntityJson[];
}

interface PreparsedSet {
  readonly name: string;
  readonly reads: Reads;
}

/** Policies in all choices together. Beyond that the whole set is asked: the wasm never forgets one, and each takes some 5 KB there. */
const MOST_KEPT = 10_000;
/** Kinds of questions whose choice is remembered. */
const MOST_KEYS = 4_096;

/** The wasm keeps what it parsed by name, for ever; the name is a digest, so that the same text is kept once. */
function preparse(policies: PolicyTexts, actions: readonly ActionEntry[]): Parsed {
  const parse = (texts: Readonly<Record<string, string | PolicyJson>>): string => {
    const id = digest(texts);
    assertParsed(preparsePolicySet(id, { staticPolicies: { ...texts } }));
    return id;
  };
  const readsOf = readsOfEach(policies);
  const whole: PreparsedSet = { name: parse(policies), reads: readsOf(Object.keys(policies)) };
  const shortened = new Map(Object.entries(policies).map(([id, text]) => [id, withoutScope(text)]));
  // Whatever is asked later is a choice of these, which parse.
  parse(Object.fromEntries(shortened));
  const relevance = createRelevance(policies, actions);
  const sets = new Map<string, PreparsedSet>();
  const byQuestion = new Map<string, PreparsedSet>();
  let kept = 0;
  const make = (ids: readonly string[]): PreparsedSet => {
    const key = ids.join('\n');
    const known = sets.get(key);
    if (known !== undefined || kept + ids.length > MOST_KEPT) return known ?? whole;
    kept += ids.length;
    const set = { name: parse(Object.fromEntries(ids.map((id) => [id, shortened.get(id) ?? '']))), reads: readsOf(ids) };
    sets.set(key, set);
    return set;
  };
  const setFor = (asked: Asked): PreparsedSet => {
    const key = relevance.keyOf(asked);
    const set = byQuestion.get(key) ?? make(relevance.idsFor(asked));
    if (byQuestion.size >= MOST_KEYS) byQuestion.clear();
    byQuestion.set(key, set);
    return set;
  };
  const entities = new Map(actions.map(({ name, group }) => [name, actionEntity(name, [{ type: ACTION, id: group }])]));
  const entityOf = (name: string): EntityJson => entities.get(name) ?? actionEntity(name, []);
  const lookedInto = [...new Set(Object.values(policies).flatMap(actionsLookedInto))];
  const actionsFor = (name: string): readonly EntityJson[] => [entityOf(name), ...lookedInto.filter((other) => other !== name).map(entityOf)];
  return { setFor, actionsFor };
}

function actionEntity(id: string, parents: EntityJson['parents']): EntityJson {
  return { uid: { type: ACTION, id }, attrs: {}, parents };
}

/**
 * All that Cedar is given. What none of the policies reads is left out, so that its answer is remembered for every question alike.
 *
 * Without the schema, by which the policies were checked: with it, Cedar makes entities of all actions for each question, which costs more than
 * the policies. What it would check is checked here: the action's own entity is given, and facts are of their type. Undefined: one is not.
 */
function callOf(parsed: Parsed, { principal, action, resource, context, inForce = [], entity, caller }: PolicyQuestion): StatefulAuthorizationCall | undefined {
  const uid = { type: PRINCIPAL, id: principal.id };
  const granted = [...principal.grants.flatMap(({ role, scope }) => (scope === null ? [role] : [])), ...inForce];
  const roles = [...new Set(granted)];
  const asked = { principal: principal.id, roles, action, resource: { type: resource.type, id: resource.id ?? WHOLE_TYPE } };
  const { name, reads } = parsed.setFor(asked);
  const facts = reads.facts ? knownFacts(context) : {};
  if (facts === undefined) return undefined;
  const object = reads.resource ? asked.resource : { type: resource.type, id: WHOLE_TYPE };
  return {
    principal: uid,
    action: { type: ACTION, id: action },
    resource: object,
    context: {
      address: reads.address ? context.address : '',
      carrier: reads.carrier ? context.carrier : '',
      facts,
    },
    entities: [
      ...(entity == null || !reads.resource ? [] : [{ uid: object, attrs: attributesOf(entity), parents: [] }]),
      ...(resource.type === 'ServiceRoute' && reads.resource ? [{ uid: object, attrs: {}, parents: [serviceOf(object.id)] }] : []),
      {
        uid,
        attrs: { kind: principal.kind, ...(principal.idp !== null && { idp: principal.idp }), ...caller },
        parents: roles.map((role) => ({ type: ROLE, id: role })),
      },
      ...parsed.actionsFor(action),
    ],
    preparsedPolicySetId: name,
    validateRequest: false,
  };
}

/** Undefined when Cedar could not evaluate everything: a `forbid` that fails to evaluate must not become an allow. */
function ask(call: StatefulAuthorizationCall, onError: (detail: string) => void): Response | undefined {
  try {
    const answer = statefulIsAuthorized(call);
    if (answer.type === 'success' && answer.response.diagnostics.errors.length === 0) return answer.response;
    onError(answer.type === 'failure' ? messages(answer.errors) : messages(answer.response.diagnostics.errors.map(({ error }) => error)));
  } catch (error) {
    onError(error instanceof Error ? error.message : 'the policy engine failed'); // the wasm itself gave up
  }
  return undefined;
}

/** `billing/v1/*` is of the service billing. */
function serviceOf(route: string): { readonly type: 'Service'; readonly id: string } {
  return { type: 'Service', id: route.split('/', 1)[0] ?? '' };
}

/** The id of "the type as a whole": no name of Prefect's is empty. */
const WHOLE_TYPE = '';

/** Those that policies can mention; undefined when one is not of its type: a policy that compares it would just be false. */
function knownFacts(context: DecisionContext): Record<string, boolean | number | string> | undefined {
  const known = Object.entries(context.facts).filter(([name]) => isFactName(name));
  return known.every(([name, value]) => isFactName(name) && isOfType(FACTS[name], value)) ? Object.fromEntries(known) : undefined;
}

/** Cedar's types, of values that came through JSON. */
function isOfType(type: (typeof FACTS)[keyof typeof FACTS], value: unknown): boolean {
  if (type === 'Long') return Number.isSafeInteger(value);
  return typeof value === (type === 'Boolean' ? 'boolean' : 'string');
}

function decisionFor({ action, resource }: PolicyQuestion, revision: number) {
  return (effect: Decision['effect'], reason: Decision['reason'], policies: readonly string[]): Decision => ({
    effect,
    enforced: effect,
    reason,
    action,
    resource,
    policies,
    revision,
  });
}

function checkPolicies(schema: SchemaJson<string>, policies: PolicyTexts): void {
  const { errors } = validation(schema, policies);
  if (errors.length > 0) throw invalid(errors.map(({ policyId, error }) => `${policyId}: ${error.message}`).join('; '));
}

function validation(schema: SchemaJson<string>, policies: PolicyTexts): Validation {
  const answer = validate({ schema, policies: { staticPolicies: { ...policies } }, validationSettings: { mode: 'strict' } });
  if (answer.type === 'failure') throw invalid(messages(answer.errors));
  return { errors: answer.validationErrors, warnings: answer.validationWarnings, other: answer.otherWarnings };
}

function assertParsed(answer: CheckParseAnswer): void {
  if (answer.type === 'failure') throw invalid(messages(answer.errors));
}

function messages(errors: readonly DetailedError[]): string {
  return errors.map((error) => error.message).join('; ');
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
