// Replays recorded decisions with another set of policies: which decisions change, which may change, and which are unknown.

import type { Effect, Resource } from '../../contract/decision.ts';
import { RESOURCE_TYPES } from '../../contract/operation.ts';
import { chainOf, type Principal } from '../../contract/principal.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { type ActionEntry, EXTRA_ACTIONS } from '../../prefect/catalog/actions.ts';
import type { PartialAnswer, PartialEngine, PartialQuestion } from '../policy/partial.ts';
import { mayBeAskedBesides } from './request.ts';

export interface SimulationParts {
  readonly actions: readonly ActionEntry[];
  readonly candidate: PartialEngine;
  /** The policies that decided at a revision. */
  readonly formerly: (revision: number | null) => PartialEngine;
  /** With its present roles, since no record contains them. Undefined: the principal no longer exists. */
  readonly find: (principal: string) => Promise<Principal | undefined>;
}

/** `unlike-then`: roles, scopes or built-in policies have changed since, so that even the old policies decide differently now. */
export type Verdict = 'same' | 'now-denied' | 'now-allowed' | 'may-change' | 'unlike-then' | 'principal-unknown' | 'not-by-policy';

export interface Replayed {
  readonly verdict: Verdict;
  /** The policies of the candidate that decide, or may decide. */
  readonly policies: readonly string[];
  /** For `may-change`: the further right that the body may have needed; null: it depends on the object or on facts of the request. */
  readonly right: string | null;
}

export async function replay(parts: SimulationParts, record: LedgerRecord): Promise<Replayed> {
  const asked = askedIn(parts, record);
  if (asked === undefined || record.principal === null) return plain('not-by-policy');
  const principal = await parts.find(record.principal);
  if (principal === undefined) return plain('principal-unknown');
  const questions = chainOf(principal).map((each) => questionOf(parts, { principal: each, asked, record }));
  const then = answerAll(parts.formerly(record.revision), questions);
  const now = answerAll(parts.candidate, questions);
  if (then.decision !== null && then.decision !== asked.decision) return plain('unlike-then');
  if (now.decision === null && now.residual !== then.residual) return { verdict: 'may-change', policies: now.policies, right: null };
  const decision = now.decision ?? asked.decision;
  if (decision !== asked.decision) return { verdict: decision === 'deny' ? 'now-denied' : 'now-allowed', policies: now.policies, right: null };
  return asked.decision === 'allow' ? (besides(parts, { record, questions }) ?? plain('same')) : plain('same');
}

/** All principals of the chain must be allowed. */
function answerAll(engine: PartialEngine, questions: readonly PartialQuestion[]): PartialAnswer {
  const answers = questions.map((question) => engine.answer(question));
  const deciding = [answers.filter(({ decision }) => decision === 'deny'), answers.filter(({ decision }) => decision === null), answers];
  const [first, ...others] = deciding.find((some) => some.length > 0) ?? [];
  if (first === undefined || answers.length === 1) return first ?? NO_ANSWER;
  const policies = [...new Set([first, ...others].flatMap((answer) => answer.policies))];
  return { decision: first.decision, policies, residual: JSON.stringify(answers.map(({ residual }) => residual)) };
}

const NO_ANSWER: PartialAnswer = { decision: 'deny', policies: [], residual: '' };

interface Recorded {
  readonly principal: Principal;
  readonly asked: Asked;
  readonly record: LedgerRecord;
}

/** No record says whether a scope covered the object. Lictor counts its role only if nothing else explains the recorded decision. */
function questionOf(parts: SimulationParts, { principal, asked, record }: Recorded): PartialQuestion {
  const { action, resource, decision } = asked;
  const question = { principal, action, resource, address: record.source_ip };
  const everywhere = principal.grants.flatMap(({ role, scope }) => (scope === null ? [role] : []));
  const then = parts.formerly(record.revision).answer({ ...question, roles: everywhere });
  return { ...question, roles: then.decision !== null && then.decision !== decision ? principal.roles : everywhere };
}

function plain(verdict: Verdict): Replayed {
  return { verdict, policies: [], right: null };
}

interface Asked {
  readonly action: string;
  readonly resource: Resource;
  readonly decision: Effect;
}

/** Undefined: no policy decided the request, but nginx, authentication, or a rule about the body. */
function askedIn({ actions }: SimulationParts, { action, resource_type, resource_id, decision, reason }: LedgerRecord): Asked | undefined {
  const entry = actions.find(({ name }) => name === action);
  const type = RESOURCE_TYPES.find((known) => known === resource_type);
  if (entry === undefined || type === undefined || decision === null || !entry.resources.includes(type)) return undefined;
  if (decision === 'deny' && reason !== 'policy-forbids' && reason !== 'policy-default-deny') return undefined;
  return { action: entry.name, resource: { type, id: resource_id }, decision };
}

/** The record of an allowed request names only its first right. The body may have needed more rights. */
function besides(
  parts: SimulationParts,
  { record, questions }: { readonly record: LedgerRecord; readonly questions: readonly PartialQuestion[] },
): Replayed | undefined {
  if (record.path_taken !== 'mediated') return undefined;
  const [question] = questions;
  if (question === undefined) return undefined;
  const then = parts.formerly(record.revision);
  const further = EXTRA_ACTIONS.filter(({ name, resources }) => mayBeAskedBesides(question.action, name) && resources.includes(question.resource.type));
  for (const { name } of further) {
    const more = questions.map((each) => ({ ...each, action: name }));
    const now = answerAll(parts.candidate, more);
    if (takesAway(answerAll(then, more), now)) return { verdict: 'may-change', policies: now.policies, right: name };
  }
  return undefined;
}

function takesAway(then: PartialAnswer, now: PartialAnswer): boolean {
  return then.decision !== 'deny' && now.decision !== 'allow' && now.residual !== then.residual;
}
