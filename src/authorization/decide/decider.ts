// The decision: authenticate, classify, evaluate. Deny is a value. A failure ends in deny or in an outage, never in allow.

import type { EdgeInputs } from '../../contract/inputs.ts';
import type { ActionName, ResourceType } from '../../contract/operation.ts';
import type { Credential, Principal } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { Authentication, Authenticator } from '../../identity/authn/authenticator.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import type { Catalogue } from '../../prefect/catalog/catalogue.ts';
import type { Entities } from '../../prefect/client/entities.ts';
import type { RunLineage } from '../../prefect/client/run-lineage.ts';
import type { PolicyEngine } from '../policy/engine.ts';
import { type Ask, ownAsks } from './asks.ts';
import { type ActionGroups, type Authorization, deniedAs, unproven, withinClientScopes } from './authorization.ts';
import { beyondRun } from './bound.ts';
import { decideOwn } from './decide-own.ts';
import { createWithDetail, type Refusing } from './denied-detail.ts';
import type { HoldsLease } from './holds-lease.ts';
import type { NeedsApproval } from './needs-approval.ts';
import type { Observation } from './observation.ts';
import { observe } from './observe.ts';
import { isForeignWrite } from './origin.ts';
import type { KnowsFlow, Ruling } from './rule.ts';
import { restrictionsOf, ruleAll } from './rule-all.ts';

export type { Ask } from './asks.ts';
export type { Authorization } from './authorization.ts';

export interface Decider {
  /**
   * Authenticates by the inputs (or by a socket's first-frame token) and evaluates every ask: all must be allowed.
   * No asks: the operation's own action on its own resource. Throws UpstreamError when a scope needs an object and Prefect does not answer.
   */
  authorize(inputs: EdgeInputs, asks: readonly Ask[], frameToken?: string): Promise<Authorization>;
  /**
   * The same for a request that Lictor forwards itself, with uncached objects. It reuses the authentication of `precheck` for the same inputs,
   * unless the store has changed.
   */
  authorizeNow(inputs: EdgeInputs, asks: readonly Ask[]): Promise<Authorization>;
  /**
   * Before Lictor reads the body: does a policy permit any alternative action of this route? The mediator decides exactly afterwards. So this
   * allow forwards nothing; a deny only saves reading the body.
   */
  precheck(inputs: EdgeInputs, serves?: EdgeInputs): Promise<Authorization>;
  /** The next `precheck` of a request that `serves` these inputs reuses it, unless the store has changed. */
  authenticate(inputs: EdgeInputs): Promise<Authentication>;
  /** For Lictor's own pages and API, which no scope can narrow: the principal needs a role on everything. `type`: System by default. */
  authorizeOwn(inputs: EdgeInputs, action: ActionName, type?: ResourceType): Promise<Authorization>;
  /** The same for a list of Lictor's own about objects of this type: the caller must narrow it to the restrictions. */
  authorizeOwnList(inputs: EdgeInputs, action: ActionName, type: ResourceType): Promise<Authorization>;
  readonly revision: number;
  /** A policy reads the values of parameters. Only then does the mediator collect them. */
  readonly readsParameters: boolean;
}

export interface DeciderParts {
  readonly authenticator: Authenticator;
  readonly catalogue: Catalogue;
  readonly policy: PolicyEngine;
  /** Objects of Prefect: `recent` ones may be some seconds old. */
  readonly entities: { readonly recent: Entities; readonly now: Entities };
  /** Left out: no principal has registered a flow's name. */
  readonly knowsFlow?: KnowsFlow;
  /** Left out: no principal holds a lease of slots. */
  readonly holdsLease?: HoldsLease;
  /** Left out: the token of a run covers only that run. */
  readonly lineage?: { readonly recent: RunLineage; readonly now: RunLineage };
  /** Of Lictor's own pages and API. Left out: no rule holds actions. */
  readonly needsApproval?: NeedsApproval;
  /** Left out: every decision is enforced. */
  readonly observation?: Observation | undefined;
  /** The store's change number: Lictor decides again when it changes during a decision. */
  readonly changeNumber: () => Promise<number>;
}

interface DeciderState extends DeciderParts, ActionGroups {
  /** The key is the request's own inputs, so an entry ends with the request. */
  readonly prechecked: WeakMap<EdgeInputs, Prechecked>;
}

interface Prechecked {
  readonly changeNumber: number;
  readonly authentication: Authentication;
}

export function createDecider(given: DeciderParts): Decider {
  const groups = new Map(collectActions(given.catalogue.operations).map(({ name, group }) => [name, group]));
  const parts: DeciderState = { ...given, groups, prechecked: new WeakMap() };
  const withDetail = createWithDetail(parts.policy);
  const answer = async (refusing: Refusing, decide: (changeNumber: number) => Promise<Authorization>): Promise<Authorization> =>
    withDetail(await settled(parts, decide), refusing);
  return {
    revision: parts.policy.revision,
    readsParameters: parts.policy.readsParameters,
    authorize: (inputs, asks, frameToken) =>
      answer(inputs, async () => decideOnce(parts, inputs, { who: await authenticateCaller(parts, inputs, frameToken), asks, any: false, looked: 'recent' })),
    authorizeNow: (inputs, asks) =>
      answer(inputs, async (number) => decideOnce(parts, inputs, { who: await known(parts, inputs, number), asks, any: false, looked: 'now' })),
    async authenticate(inputs) {
      const changeNumber = await parts.changeNumber();
      const authentication = await authenticate(parts, inputs);
      parts.prechecked.set(inputs, { changeNumber, authentication });
      return authentication;
    },
    precheck: (inputs, serves) =>
      answer({ method: inputs.method, any: true }, async (number) => {
        const who = serves === undefined ? await authenticateCaller(parts, inputs) : await knownOnce(parts, serves, number);
        parts.prechecked.set(inputs, { changeNumber: number, authentication: who });
        return decideOnce(parts, inputs, { who, asks: [], any: true, looked: 'recent' });
      }),
    authorizeOwn: (inputs, action, type = 'System') =>
      answer(inputs, async () => decideOwn(parts, inputs, { who: await authenticate(parts, inputs), ask: askOf(action, type), narrowed: false })),
    authorizeOwnList: (inputs, action, type) =>
      answer(inputs, async () => decideOwn(parts, inputs, { who: await authenticate(parts, inputs), ask: askOf(action, type), narrowed: true })),
  };
}

function askOf(action: ActionName, type: ResourceType): Ask {
  return { action, resource: { type, id: null } };
}

function authenticate({ authenticator }: DeciderParts, inputs: EdgeInputs, frameToken?: string): Promise<Authentication> {
  return frameToken === undefined ? authenticator.authenticate(inputs) : authenticator.authenticateFrame(frameToken, inputs);
}

/** Of a request to Prefect. Own pages never accept Prefect's own credential. */
async function authenticateCaller(parts: DeciderParts, inputs: EdgeInputs, frameToken?: string): Promise<Authentication> {
  if (parts.observation === undefined) return authenticate(parts, inputs, frameToken);
  return (await parts.observation.sharedCaller(inputs, frameToken)) ?? authenticate(parts, inputs, frameToken);
}

async function known(parts: DeciderState, inputs: EdgeInputs, changeNumber: number): Promise<Authentication> {
  const prechecked = parts.prechecked.get(inputs);
  return prechecked?.changeNumber === changeNumber ? prechecked.authentication : authenticateCaller(parts, inputs);
}

/** Decides again when a security change lands during the decision, at most a few times: changes are rare. */
export async function settled(parts: Pick<DeciderParts, 'changeNumber'>, decide: (changeNumber: number) => Promise<Authorization>): Promise<Authorization> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const before = await parts.changeNumber();
    const answer = await decide(before);
    if ((await parts.changeNumber()) === before) return answer;
  }
  return { ok: false, reason: 'gateway-unavailable', principal: null, credential: null, credentialId: null, decisions: [] };
}

/** Later requests of a long call see that the credential has expired. */
async function knownOnce(parts: DeciderState, inputs: EdgeInputs, changeNumber: number): Promise<Authentication> {
  const authentication = await known(parts, inputs, changeNumber);
  parts.prechecked.delete(inputs);
  return authentication;
}

interface Question {
  readonly who: Authentication;
  readonly asks: readonly Ask[];
  /** One of the route's alternative actions is enough. */
  readonly any: boolean;
  readonly looked: 'recent' | 'now';
}

async function decideOnce(parts: DeciderState, inputs: EdgeInputs, question: Question): Promise<Authorization> {
  const { who } = question;
  if (!who.ok) return unproven(who);
  const { principal, credential } = who;
  const refuse = (reason: ReasonCode) => refusedBy({ principal, credential }, reason, []);

  const operation = parts.catalogue.byId(inputs.operation);
  if (operation === undefined) return refuse(whyUnknown(parts.catalogue, inputs.path));
  if (operation.taken === 'deny') return refuse('route-denied');
  if (isForeignWrite(credential, inputs, operation.method)) return refuse('origin-foreign');

  const asks = question.asks.length > 0 ? question.asks : ownAsks(parts.catalogue, operation, inputs, question.any);
  if (typeof asks === 'string') return refuse(asks);
  const decided = await decideAsks(parts, inputs, { ...question, asks, principal, credential });
  if (parts.observation === undefined) return decided;
  const groups = asks.map(({ action }) => parts.groups.get(action));
  return observe(parts.observation, { inputs, principal, credential, groups, any: question.any }, decided);
}

interface Asked extends Omit<Question, 'who'> {
  readonly principal: Principal;
  readonly credential: Credential;
}

/** What the policies say, with what bounds a run. */
async function decideAsks(parts: DeciderState, inputs: EdgeInputs, question: Asked): Promise<Authorization> {
  const { principal, credential, asks } = question;
  const refuse = (reason: ReasonCode, rulings: readonly Ruling[]) => refusedBy(question, reason, rulings);
  const ruled = await ruleAll(parts, question, { principal, asks, context: { address: inputs.address, carrier: credential.carrier } });
  const rulings = ruled.map((ruling) => ({ ...ruling, decision: withinClientScopes(parts, credential, ruling.decision) }));
  const decisions = rulings.map(({ decision }) => decision);
  const allow = (some: readonly Ruling[]): Authorization => ({
    ok: true,
    principal,
    credential,
    decisions: some.map(({ decision }) => decision),
    restrictions: restrictionsOf(some),
    entities: some.map(({ entity }) => entity),
  });
  const allowed = rulings.filter(({ decision }) => decision.enforced === 'allow');
  if (question.any && allowed.length > 0) return allow(allowed);
  const denied = decisions.find((decision) => decision.enforced !== 'allow');
  if (denied !== undefined || decisions.length === 0) return refuse(denied?.reason ?? 'policy-default-deny', rulings);
  const beyond = await beyondRun({ lineage: parts.lineage?.[question.looked], groupOf: (action) => parts.groups.get(action) }, principal, asks);
  return beyond < 0
    ? allow(rulings)
    : refuse(
        'run-bound',
        rulings.map((ruling, place) => (place === beyond ? deniedAs('run-bound', ruling) : ruling)),
      );
}

function refusedBy({ principal, credential }: Pick<Asked, 'principal' | 'credential'>, reason: ReasonCode, rulings: readonly Ruling[]): Authorization {
  return {
    ok: false,
    reason,
    principal,
    credential,
    credentialId: credential.id,
    decisions: rulings.map(({ decision }) => decision),
    entities: rulings.map(({ entity }) => entity),
  };
}

/** The reason for Prefect's own answer, if its router has one. Lictor forwards nothing for it. */
export function whyUnknown(catalogue: Pick<Catalogue, 'mismatch'>, rawPath: string): 'not-found' | 'method-not-allowed' | 'action-unknown' {
  const mismatch = catalogue.mismatch(rawPath);
  if (mismatch === undefined) return 'action-unknown';
  return mismatch === 'malformed' ? 'not-found' : 'method-not-allowed';
}
