// The policy engine: Cedar with policies parsed once. It decides whether a principal may do an action on a resource. Deny is a value.

import {
  type CedarValueJson,
  type DetailedError,
  type Response,
  type SchemaJson,
  type StatefulAuthorizationCall,
  statefulIsAuthorized,
  type ValidationError,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { Decision, DecisionContext, Resource } from '../../contract/decision.ts';
import type { Entity } from '../../contract/entity.ts';
import type { ActionName } from '../../contract/operation.ts';
import type { Principal } from '../../contract/principal.ts';
import type { ActionEntry } from '../../prefect/catalog/actions.ts';
import { atMostPolicies } from './at-most.ts';
import { attributesOf } from './attributes.ts';
import { type ConditionalPolicies, createConditionalPolicies } from './conditional.ts';
import { FACTS, isFactName, PARAMETER_ACTIONS, PARAMETER_FACTS, UNKNOWN } from './facts.ts';
import { createMemo } from './memo.ts';
import { invalid, loadBuiltInPolicies, type PolicyTexts } from './policies.ts';
import { type Parsed, preparse } from './preparsed.ts';
import { type Reads, readsAttributes, readsOfEach } from './reads.ts';
import type { Asked } from './relevant.ts';
import { ACTION, PRINCIPAL, ROLE, renderSchema } from './schema.ts';
import { createTrees } from './trees.ts';

export interface PolicyQuestion {
  readonly principal: Principal;
  readonly action: ActionName;
  readonly resource: Resource;
  readonly context: DecisionContext;
  /** The roles with a scope that are in force for this question. Default: none. */
  readonly inForce?: readonly string[];
  /** The resource's attributes. Left out: policies that read them do not apply. */
  readonly entity?: Entity | null;
  /** Further attributes of the principal (attributes.ts). */
  readonly attributes?: Record<string, string | string[]>;
  /** Lictor has read neither the body nor the object: evaluate the upper bound (at-most.ts). */
  readonly atMost?: boolean;
}

export interface PolicyEngine {
  /** Of its configuration and policies. */
  readonly revision: number;
  /** Names of all policies. */
  readonly policies: readonly string[];
  /** True when a policy reads attributes of a resource: Lictor then looks up objects for every principal. */
  readonly readsAttributes: boolean;
  /** True when a policy reads the values of parameters: the mediator then collects them (mediate/parameter-facts.ts). */
  readonly readsParameters: boolean;
  readonly conditional: ConditionalPolicies;
  /** True when such a policy may apply to this question. */
  hangsOnParameters(question: PolicyQuestion): boolean;
  /** Synchronous; never throws for "no". An error inside Cedar is a deny, reported to `onError`. */
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
  checkPolicies(renderSchema(options.actions), options.policies ?? loadBuiltInPolicies());
  return createEngineOfChecked(options);
}

/** The same for policies that fit the schema: Cedar takes longer to hold them against it than to parse them. */
export function createEngineOfChecked(options: PolicyEngineOptions): PolicyEngine {
  const steps = buildEngine(options);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The same in steps, each when `turn` resolves: a large set takes long. Own policies were checked already (own/check.ts), and the built-in ones by a test. */
export async function createPolicyEngineInSteps(options: PolicyEngineOptions, turn: () => Promise<void>): Promise<PolicyEngine> {
  const steps = buildEngine(options);
  for (;;) {
    await turn();
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** So many policies are parsed in a step: some milliseconds. */
const AT_ONCE = 20;

function* buildEngine(options: PolicyEngineOptions): Generator<undefined, PolicyEngine> {
  const policies = options.policies ?? loadBuiltInPolicies();
  const toTree = createTrees();
  for (const [at, text] of Object.values(policies).entries()) {
    toTree(text);
    if (at % AT_ONCE === AT_ONCE - 1) yield;
  }
  const parsed = yield* preparse(policies, options.actions, toTree);
  const open = atMostPolicies(policies, toTree);
  yield;
  const parsedAtMost = open === policies ? parsed : yield* preparse(open, options.actions, toTree);
  const resourcesOf = new Map(options.actions.map((action) => [action.name, action.resources]));
  const onError = options.onError ?? (() => {});
  const memo = createMemo<StatefulAuthorizationCall, Response>();

  return {
    revision: options.revision,
    policies: Object.keys(policies),
    readsAttributes: Object.values(policies).some((text) => readsAttributes(text, toTree)),
    readsParameters: readsOfEach(policies, toTree)(Object.keys(policies)).parameters,
    conditional: createConditionalPolicies(policies, options.actions, toTree),
    hangsOnParameters: (question) => PARAMETER_ACTIONS.includes(question.action) && parsed.setFor(askedOf(question)).reads.parameters,
    evaluate(question) {
      const decide = decisionFor(question, options.revision);
      // Cedar's own request validation would say the same, at twice the cost.
      if (!resourcesOf.get(question.action)?.includes(question.resource.type)) return decide('deny', 'policy-default-deny', []);
      const asking = question.atMost === true ? parsedAtMost : parsed;
      const asked = askedOf(question);
      const set = asking.setFor(asked);
      const { reads } = set;
      if (reads.parameters && isUnnamed(question.context)) return decide('deny', 'parameters-unreadable', []);
      const call = callOf(question, { asked, set, actions: asking.actionsFor(question.action) });
      if (call === undefined) onError(`a fact of ${question.action} is not of its type`);
      return decided(decide, call === undefined ? undefined : answer(call, reads));
    },
  };

  /** Values of parameters may be secrets, so Lictor does not cache a question with them. */
  function answer(call: StatefulAuthorizationCall, reads: Reads): Response | undefined {
    return reads.parameters ? ask(call, onError) : memo.answer(call, (asked) => ask(asked, onError));
  }
}

function decided(decide: ReturnType<typeof decisionFor>, response: Response | undefined): Decision {
  if (response === undefined) return decide('deny', 'policy-default-deny', []);
  // Cedar returns them in no order. Sorted, the same decision reads the same each time.
  const reason = response.diagnostics.reason.toSorted();
  if (response.decision === 'allow') return decide('allow', 'policy-permits', reason);
  return decide('deny', reason.length > 0 ? 'policy-forbids' : 'policy-default-deny', reason);
}

/** True when the names of the parameters are unknown: no policy can decide on them. */
function isUnnamed({ facts }: DecisionContext): boolean {
  const { parameter_names: names } = facts;
  return Array.isArray(names) && names.includes(UNKNOWN);
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

/**
 * All that Cedar is given. What none of the policies reads is left out, so that its answer is remembered for every question alike.
 *
 * Without the schema, by which the policies were checked: with it, Cedar makes entities of all actions for each question, which costs more than
 * the policies. What it would check is checked here: the action's own entity is given, and facts are of their type. Undefined: one is not.
 */
function callOf(question: PolicyQuestion, { asked, set, actions }: Chosen): StatefulAuthorizationCall | undefined {
  const { principal, action, resource, context, entity, attributes } = question;
  const uid = { type: PRINCIPAL, id: principal.id };
  const { name, reads } = set;
  const facts = reads.facts ? knownFacts(context, reads) : {};
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
        attrs: { kind: principal.kind, ...(principal.idp !== null && { idp: principal.idp }), ...attributes },
        parents: asked.roles.map((role) => ({ type: ROLE, id: role })),
      },
      ...actions,
    ],
    preparsedPolicySetId: name,
    validateRequest: false,
  };
}

interface Chosen {
  readonly asked: Asked;
  readonly set: ReturnType<Parsed['setFor']>;
  readonly actions: ReturnType<Parsed['actionsFor']>;
}

function askedOf({ principal, action, resource, inForce = [] }: PolicyQuestion): Asked {
  const roles = [...principal.grants.flatMap(({ role, scope }) => (scope === null ? [role] : [])), ...inForce];
  return { principal: principal.id, roles: [...new Set(roles)], action, resource: { type: resource.type, id: resource.id ?? WHOLE_TYPE } };
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
function knownFacts({ facts }: DecisionContext, reads: Reads): Record<string, CedarValueJson> | undefined {
  const known: Record<string, CedarValueJson> = {};
  for (const [name, value] of Object.entries(facts)) {
    const isRead = reads.parameters || !PARAMETER_FACTS.some((each) => each === name);
    if (!isFactName(name) || !isRead) continue;
    if (!isOfType(FACTS[name], value)) return undefined;
    known[name] = typeof value === 'object' ? [...value] : value;
  }
  return known;
}

/** Cedar's types, of values that came through JSON. */
function isOfType(type: (typeof FACTS)[keyof typeof FACTS], value: unknown): boolean {
  if (type === 'Long') return Number.isSafeInteger(value);
  if (type === 'Set') return Array.isArray(value) && value.every((item) => typeof item === 'string');
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

function messages(errors: readonly DetailedError[]): string {
  return errors.map((error) => error.message).join('; ');
}
