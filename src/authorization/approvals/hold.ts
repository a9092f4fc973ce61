// Holds a permitted request until a person has approved it, and lets it pass once.
import { randomBytes } from 'node:crypto';
import type { Agent, ApprovalRule, PublicUrl } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import type { Decision, Resource } from '../../contract/decision.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { Redactor } from '../../contract/untrusted/redact.ts';
import { actionWords } from '../../prefect/catalog/action-words.ts';
import { isDatabaseBusy } from '../../prefect/client/database-busy.ts';
import type { Approvals, NewApproval, StoredApproval } from '../../store/approvals.ts';
import type { PermittedRequest, RequestOutcome, Verdict } from '../mediate/conditions.ts';
import { approvalUrl } from './approval-url.ts';
import { argumentsOf, hashOf, shownArguments } from './arguments.ts';
import { type Requester, requesterOf } from './requester.ts';

/** `actions`: the approval is about the first of these that the request needs. `announcedBy`: the rule with the `notify`, if it is another one. */
export type HoldRule = Pick<ApprovalRule, 'name' | 'actions' | 'approvers' | 'expiresMs'> & { readonly announcedBy?: string | undefined };

/** The request passes only with an approval by this rule. Throws when the store cannot say: then nothing is forwarded. */
export type Hold = (request: PermittedRequest, rule: HoldRule) => Promise<Verdict>;

export interface HoldParts {
  readonly approvals: Pick<Approvals, 'holdingOr' | 'use' | 'giveBack'>;
  readonly config: { readonly agents: readonly Pick<Agent, 'name' | 'sponsor'>[]; readonly publicUrl: Pick<PublicUrl, 'origin' | 'basePath'> };
  readonly clock: Clock;
  /** A change of rules or policies ends what was approved before. */
  readonly revision: number;
  /** For people; null: unknown. */
  readonly nameOf: (resource: Resource) => Promise<string | null>;
  /** Called once for each new request. It never waits. */
  readonly announce: (approval: StoredApproval, rule: string) => void;
  /** Removes secrets from what people see. */
  readonly redactor: () => Promise<Redactor>;
}

export function createHold(parts: HoldParts): Hold {
  return async (request, rule) => {
    const requester = requesterOf(request, parts.config.agents);
    const fresh = await newApproval(parts, { request, rule, requester });
    if (typeof fresh === 'string') return refused('approval-impossible', fresh);
    const held = await parts.approvals.holdingOr(fresh);
    if (held === undefined) return refused('approvals-pending', `${requester.countedFor} waits for too many approvals.`);
    const { approval, isNew } = held;
    if (isNew) parts.announce(approval, rule.announcedBy ?? rule.name);
    if (approval.state !== 'approved' || !(await parts.approvals.use(approval.id))) return outcome(approval, parts.config.publicUrl);
    return {
      ok: true,
      record: { approval_id: approval.id },
      settle: async (outcome) => (changedNothing(outcome) ? await parts.approvals.giveBack(approval.id) : undefined),
    };
  };
}

function changedNothing(outcome: RequestOutcome): boolean {
  return outcome.kind === 'answered' ? isDatabaseBusy(outcome.answer) : outcome.kind === 'not-sent';
}

interface Asking {
  readonly request: PermittedRequest;
  readonly rule: HoldRule;
  readonly requester: Requester;
}

/** A text: why nobody can approve it. */
async function newApproval(parts: HoldParts, { request, rule, requester }: Asking): Promise<NewApproval | string> {
  const { call, authorization } = request;
  const decision = decisionOf(authorization.decisions, rule);
  const words = wordsOf(requester, decision);
  if (rule.approvers === 'sponsor' && requester.sponsor === null) return `${words} needs the approval of a sponsor, and there is none.`;
  const argumentsHash = hashOf(argumentsOf(call, parts.clock()));
  const asks = authorization.decisions.map(({ action, resource: { type, id } }) => [action, type, id]);
  const bound = { rule: rule.name, requester: requester.id, chain: requester.chain, asks, arguments: argumentsHash ?? null, revision: parts.revision };
  const binding = hashOf(bound);
  if (argumentsHash === undefined || binding === undefined) return `${words} needs an approval, and a number or text of its body has no single meaning.`;
  return {
    // Not base64url: an id that begins with - would be an option on a command line.
    ...{ id: randomBytes(16).toString('hex'), binding, argumentsHash, revision: parts.revision },
    rule: rule.name,
    requestedBy: requester.id,
    onBehalfOf: requester.chain,
    countedFor: requester.countedFor,
    credentialId: authorization.credential.id,
    sponsor: rule.approvers === 'sponsor' ? requester.sponsor : null,
    approvers: rule.approvers === 'sponsor' ? [] : rule.approvers,
    action: decision.action,
    resourceType: decision.resource.type,
    resourceId: decision.resource.id,
    resourceName: await parts.nameOf(decision.resource).catch(() => null),
    shownArguments: shownArguments(call, await parts.redactor()),
    lifeMs: rule.expiresMs,
  };
}

function decisionOf(decisions: readonly Decision[], { actions }: HoldRule): Decision {
  const decision = decisions.find(({ action }) => actions.includes(action)) ?? decisions[0];
  if (decision === undefined) throw new Error('a permitted request has no decision');
  return decision;
}

function wordsOf({ id }: Requester, { action }: Pick<Decision, 'action'>): string {
  return `${id}: to ${actionWords(action)} (${action})`;
}

const CODES: Readonly<Record<StoredApproval['state'], ReasonCode>> = {
  pending: 'approval-required',
  denied: 'approval-denied',
  // Another attempt has used it in the meantime.
  approved: 'approval-used',
  used: 'approval-used',
  expired: 'approval-required',
};

const SAYS: Readonly<Record<StoredApproval['state'], string>> = {
  pending: 'waits for an approval',
  denied: 'was denied by a person',
  approved: 'was approved once, and has run',
  used: 'was approved once, and has run',
  expired: 'waited for an approval until its end',
};

function outcome(approval: StoredApproval, publicUrl: Pick<PublicUrl, 'origin' | 'basePath'>): Verdict {
  const { id, requestedBy, action, state } = approval;
  const url = approvalUrl(publicUrl, id);
  // Stock clients print the detail alone.
  const detail = `The request of ${requestedBy} to ${actionWords(action)} (${action}) ${SAYS[state]}. See ${url}`;
  const members = { approval_id: id, approval_url: url, expires_at: new Date(approval.expiresMs).toISOString() };
  return { ok: false, refusal: { code: CODES[state], detail, members }, record: { approval_id: id } };
}

function refused(code: ReasonCode, detail: string): Verdict {
  return { ok: false, refusal: { code, detail, ...(code === 'approvals-pending' && { retryAfterSeconds: 60 }) } };
}
