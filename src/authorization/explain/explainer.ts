// Explains a decision with the same decider, catalogue and mediator handlers as for a real request.

import type { PublicUrl } from '../../config/config.ts';
import type { Service } from '../../config/service.ts';
import type { Decision, Located } from '../../contract/decision.ts';
import type { Entity } from '../../contract/entity.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import { chainOf, type Principal } from '../../contract/principal.ts';
import { REASONS, type ReasonCode } from '../../contract/reasons.ts';
import type { GuardedTags } from '../../contract/scope/guarded.ts';
import { type Restriction, scopeText } from '../../contract/scope.ts';
import type { Authenticator } from '../../identity/authn/authenticator.ts';
import type { ActionEntry } from '../../prefect/catalog/actions.ts';
import type { Catalogue } from '../../prefect/catalog/catalogue.ts';
import { createEntities, type Entities, type EntityParts } from '../../prefect/client/entities.ts';
import { createLineageMemory, createRunLineage, type RunLineage } from '../../prefect/client/run-lineage.ts';
import { UpstreamError } from '../../prefect/client/upstream-error.ts';
import { beyondRun } from '../decide/bound.ts';
import { type Ask, type Authorization, createDecider, type Decider } from '../decide/decider.ts';
import { createHoldsLease, type LeaseParts } from '../decide/holds-lease.ts';
import { ruleForEach } from '../decide/intersection.ts';
import { evaluateUpperBound, type KnowsFlow, permittingScopes, type Question, type Ruling, rule } from '../decide/rule.ts';
import type { Lookup } from '../mediate/handler.ts';
import { attributesOf } from '../policy/attributes.ts';
import type { PolicyEngine } from '../policy/engine.ts';
import type { PolicySource } from '../policy/sources.ts';
import { answerWords } from './answer-words.ts';
import type { ExplainedAsk, ExplainedPolicy, ExplainedRequest, Explanation } from './explanation.ts';
import type { ResolvedPrincipal } from './principal.ts';

export interface ExplainerParts {
  readonly catalogue: Catalogue;
  readonly actions: readonly ActionEntry[];
  readonly policy: PolicyEngine;
  readonly sources: ReadonlyMap<string, PolicySource>;
  readonly publicUrl: Pick<PublicUrl, 'origin' | 'basePath'>;
  readonly services: readonly Service[];
  /** The hosts of the forward proxy; null: there is no forward proxy. */
  readonly forwardHosts: readonly string[] | null;
  /** Reads an object of Prefect. Throws when Prefect does not answer. */
  readonly lookup: Lookup;
  /** The principal that created an object through the gateway; null: unknown. */
  readonly makerOf: EntityParts['makerOf'];
  /** Left out: no principal has registered a flow's name. */
  readonly knowsFlow?: KnowsFlow;
  /** The holder of a lease of slots; left out: no principal holds one. */
  readonly leaseOf?: LeaseParts['leaseOf'];
  /** Left out: no tag is guarded. */
  readonly guardedTags?: GuardedTags;
  /** Null: nothing has been published yet. */
  readonly revision: number | null;
}

/** The input of `conclude`, which ends every explanation. */
export interface Findings {
  readonly decision: 'allow' | 'deny';
  readonly reason: ReasonCode;
  readonly detail?: string | undefined;
  readonly request?: ExplainedRequest | null;
  readonly asks?: readonly ExplainedAsk[];
  readonly further?: readonly ExplainedAsk[];
  readonly dependsOnBody?: boolean;
  readonly notes?: readonly string[];
}

export function conclude(parts: ExplainerParts, resolved: ResolvedPrincipal, findings: Findings): Explanation {
  const { principal } = resolved;
  const refused = resolved.refusedAs;
  const reason = refused ?? findings.reason;
  const decision = refused === null ? findings.decision : 'deny';
  const text = REASONS[reason];
  return {
    decision,
    reason,
    detail: (refused === null ? (answerWords(parts, resolved, findings) ?? findings.detail) : undefined) ?? text.detail,
    hint: text.hint,
    status: decision === 'allow' ? null : text.status,
    depends_on_body: findings.dependsOnBody ?? false,
    principal: { id: principal.id, kind: principal.kind, idp: principal.idp, hypothetical: resolved.hypothetical, roles: resolved.roles },
    request: findings.request ?? null,
    asks: findings.asks ?? [],
    further: findings.further ?? [],
    revision: parts.revision,
    notes: [...resolved.notes, ...(findings.notes ?? [])],
  };
}

/** The real decider, with a given principal in place of authentication. */
export function deciderFor(parts: ExplainerParts, resolved: ResolvedPrincipal): Decider {
  const entities = entitiesOf(parts);
  return createDecider({
    authenticator: authenticatorFor(resolved),
    catalogue: parts.catalogue,
    policy: parts.policy,
    entities: { recent: entities, now: entities },
    lineage: { recent: lineageOf(parts), now: lineageOf(parts) },
    changeNumber: async () => 0,
    ...(parts.knowsFlow !== undefined && { knowsFlow: parts.knowsFlow }),
    holdsLease: createHoldsLease({ leaseOf: parts.leaseOf ?? (async () => null), lineage: lineageOf(parts), lookup: parts.lookup }),
  });
}

/** A person has a session, any other principal a token. */
export function authenticatorFor({ principal }: ResolvedPrincipal): Authenticator {
  const bySession = principal.kind === 'user';
  const authentication = {
    ok: true,
    principal,
    credential: {
      id: 'explain',
      carrier: bySession ? 'session' : 'authorization',
      expiresAtMs: null,
      sessionId: bySession ? 'explain' : null,
      alsoPresented: [],
    },
  } as const;
  return { authenticate: async () => authentication, authenticateFrame: async () => authentication, idle: async () => undefined };
}

/** Services and the forward proxy accept only tokens, also from a person. */
export function tokenOf(resolved: ResolvedPrincipal): Authenticator {
  const { principal } = resolved;
  return authenticatorFor({ ...resolved, principal: { ...principal, kind: principal.kind === 'user' ? 'service' : principal.kind } });
}

/** The inputs from nginx. A person's writes count as sent by a page of this origin. */
export function inputsOf(request: Pick<ExplainedRequest, 'method' | 'path' | 'query' | 'operation'>): EdgeInputs {
  return {
    requestId: 'explain',
    host: '',
    listener: '',
    address: '',
    authorization: '',
    token: '',
    session: '',
    certificate: '',
    sameOrigin: true,
    method: request.method,
    operation: request.operation ?? '',
    path: request.path,
    args: request.query,
  };
}

/** Every ask with its decision, in the same order. */
export function explainAsks(parts: ExplainerParts, answer: Authorization, asks: readonly Ask[]): readonly ExplainedAsk[] {
  const entities = answer.ok ? answer.entities : (answer.entities ?? []);
  const scopes = answer.ok ? scopesOf(answer.restrictions) : null;
  return answer.decisions.map((decision, index) => ({
    ...explainDecision(parts, decision, { facts: asks[index]?.facts ?? {}, entity: entities[index] ?? null }),
    narrowed_to: decision.resource.id === null ? scopes : null,
  }));
}

async function ruledForAll(principal: Principal, ruleOne: (each: Principal) => Promise<Ruling>): Promise<Ruling> {
  const [ruled] = await ruleForEach(principal, 1, async (each) => [await ruleOne(each)]);
  if (ruled === undefined) throw new Error('an ask has no ruling');
  return ruled;
}

/** Null: no scope narrows the answer. The scopes are ORed. Those of a chain are one text, because the ones of each principal must hold. */
function scopesOf(restrictions: readonly Restriction[]): readonly string[] | null {
  const [only, ...others] = restrictions;
  if (only === undefined) return null;
  if (others.length === 0) return only.scopes.map(scopeText);
  return [restrictions.map(({ principalId, scopes }) => `${scopes.map(scopeText).join(' or ')} (${principalId})`).join(' and ')];
}

/** One action on one resource, by policies and scopes alone. */
export async function evaluate(
  parts: ExplainerParts,
  { principal }: ResolvedPrincipal,
  question: { readonly action: string; readonly resource: Located },
): Promise<ExplainedAsk> {
  const carrier = principal.kind === 'user' ? 'session' : 'authorization';
  const ask: Ask = { ...question, ...(question.resource.id !== null && { inPath: { screened: false } }) };
  const asked = { principal, ask, context: { address: '', carrier, facts: {} } };
  try {
    const ruling = { policy: parts.policy, entities: entitiesOf(parts) };
    const ruled = await ruledForAll(principal, (each) => rule(ruling, { ...asked, principal: each }));
    const { decision: whole, entity, restrictions } = ruled;
    const groupOf = (action: string) => parts.actions.find(({ name }) => name === action)?.group;
    const isBeyond = whole.enforced === 'allow' && (await beyondRun({ lineage: lineageOf(parts), groupOf }, principal, [ask])) !== -1;
    const decision: Decision = isBeyond ? { ...whole, effect: 'deny', enforced: 'deny', reason: 'run-bound', policies: [] } : whole;
    const narrowedTo = question.resource.id === null ? scopesOf(restrictions) : null;
    return { ...explainDecision(parts, decision, { facts: {}, entity }), narrowed_to: narrowedTo };
  } catch (error) {
    if (error instanceof UpstreamError) return await withoutLook(parts, asked, error.reason);
    throw error;
  }
}

/** Without an answer of Prefect: a deny if no scope could allow it, or else a 503 as from the gateway. */
async function withoutLook(parts: ExplainerParts, asked: Question, reason: ReasonCode): Promise<ExplainedAsk> {
  const { decision } = await ruledForAll(asked.principal, async (each) => evaluateUpperBound(parts, { ...asked, principal: each }));
  const looked = { facts: {}, entity: null };
  if (decision.enforced !== 'allow') return explainDecision(parts, decision, looked);
  const restrictions = chainOf(asked.principal).map((each) => ({
    principalId: each.id,
    scopes: permittingScopes(parts.policy, { ...asked, principal: each }),
  }));
  const scopes = scopesOf(restrictions.filter((each) => each.scopes.length > 0)) ?? [];
  return { ...explainDecision(parts, { ...decision, effect: 'deny', enforced: 'deny', reason }, looked), narrowed_to: scopes };
}

/** Notes on the asks that Lictor answered without reading their object. */
export function unseenNotes(asks: readonly ExplainedAsk[]): readonly string[] {
  const unseen = asks.filter(({ reason, resource_id: id }) => id !== null && REASONS[reason].status === 503);
  return unseen.map(({ resource_type: type, resource_id: id, narrowed_to: scopes }) => {
    const inside = (scopes ?? []).length === 0 ? 'it is what your policies ask for' : `${(scopes ?? []).join(' or ')} covers it`;
    return `Prefect cannot be asked what ${type} ${id} is, so this would be answered with 503 now. With Prefect there it is allowed if ${inside}.`;
  });
}

function lineageOf({ lookup }: ExplainerParts): RunLineage {
  return createRunLineage(lookup, createLineageMemory());
}

/** Prefect's objects, uncached. */
export function entitiesOf({ lookup, makerOf }: ExplainerParts): Entities {
  return createEntities({ lookup, lasting: lookup, makerOf });
}

interface Looked {
  readonly facts: ExplainedAsk['facts'];
  readonly entity: Entity | null;
}

export function explainDecision(parts: ExplainerParts, decision: Decision, { facts, entity }: Looked): ExplainedAsk {
  return {
    action: decision.action,
    group: parts.actions.find(({ name }) => name === decision.action)?.group ?? null,
    resource_type: decision.resource.type,
    resource_id: decision.resource.id,
    facts,
    attributes: entity === null ? null : attributesOf(entity),
    narrowed_to: null,
    decision: decision.enforced,
    reason: decision.reason,
    policies: decision.policies.map((id) => policyOf(parts, id)),
  };
}

function policyOf({ sources }: ExplainerParts, id: string): ExplainedPolicy {
  const { file = null, line = null, description = '' } = sources.get(id) ?? {};
  return { id, file, line, description };
}
