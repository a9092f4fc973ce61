// The person's side of an approval: who may see a waiting request, and who may decide it. The pages are elsewhere.
import type { Sealer } from '../../config/keys/sealer.ts';
import type { Clock } from '../../contract/clock.ts';
import type { Principal } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { isMember } from '../../identity/authn/roles.ts';
import { isRecentLogin } from '../../identity/authn/session/recent-login.ts';
import type { ApprovalDecision, ApprovalState, Approvals, StoredApproval } from '../../store/approvals.ts';

/** A person with a browser session. */
export interface Approver {
  readonly principal: Principal;
  readonly sessionId: string;
  /** When the person proved the identity; null: not known. */
  readonly authenticatedMs: number | null;
}

export interface ApprovalDesk {
  /** Undefined: it does not exist, or is no concern of this person. */
  find(id: string, person: Principal): Promise<StoredApproval | undefined>;
  /** What this person may decide or has requested, newest first. */
  concerning(person: Principal): Promise<readonly StoredApproval[]>;
  /** What waits for this person. */
  waitingFor(person: Principal): Promise<readonly StoredApproval[]>;
  /** For readers of the ledger: all, newest first. */
  list(): Promise<readonly StoredApproval[]>;
  /** The proof that a form must contain for a decision on this approval in this session. */
  proofFor(approval: Pick<StoredApproval, 'id'>, sessionId: string): string;
  /** Why this person cannot decide it, however recent the login is. Undefined: the person may. */
  bar(approval: StoredApproval, person: Principal): Bar | undefined;
  /** Undefined: this person may decide it now. */
  objection(approval: StoredApproval, approver: Approver, proof: string): ReasonCode | undefined;
  /** False: decided before, or expired. */
  decide(approval: Pick<StoredApproval, 'id'>, decision: ApprovalDecision): Promise<boolean>;
}

export interface Bar {
  readonly code: ReasonCode;
  /** For this person. */
  readonly detail: string;
}

export interface DeskParts {
  readonly approvals: Pick<Approvals, 'byId' | 'list' | 'decide'>;
  readonly sealer: Sealer;
  readonly clock: Clock;
  /** Nobody approves by rules that have changed. */
  readonly revision: number;
}

export function createApprovalDesk({ approvals, sealer, clock, revision }: DeskParts): ApprovalDesk {
  const bar = (approval: StoredApproval, person: Principal): Bar | undefined => {
    const detail = whyNot(approval, person);
    if (detail !== undefined) return { code: 'approver-other', detail };
    if (approval.state !== 'pending') return { code: 'approval-over', detail: OVER[approval.state] };
    return approval.revision === revision ? undefined : { code: 'approval-over', detail: 'The rules or policies have changed since the request.' };
  };
  return {
    bar,
    concerning: async (person) => (await approvals.list()).filter((approval) => maySee(approval, person)),
    list: () => approvals.list(),
    async find(id, person) {
      const approval = await approvals.byId(id);
      return approval !== undefined && maySee(approval, person) ? approval : undefined;
    },
    waitingFor: async (person) =>
      (await approvals.list()).filter((approval) => approval.state === 'pending' && approval.revision === revision && mayDecide(approval, person)),
    proofFor: ({ id }, sessionId) => sealer.seal(id, aboutDecision(sessionId)),
    objection(approval, approver, proof) {
      if (sealer.open(proof, aboutDecision(approver.sessionId)) !== approval.id) return 'origin-foreign';
      const barred = bar(approval, approver.principal);
      if (barred !== undefined) return barred.code;
      return isRecentLogin(approver, clock()) ? undefined : 'login-not-recent';
    },
    decide: ({ id }, decision) => approvals.decide(id, decision),
  };
}

function aboutDecision(sessionId: string): string {
  return `decision on an approval in session ${sessionId}`;
}

const OVER: Readonly<Record<Exclude<ApprovalState, 'pending'>, string>> = {
  approved: 'The request is approved already.',
  denied: 'The request is denied already.',
  used: 'The request was approved, and has run.',
  expired: 'The request waited until its end, and no person decided it.',
};

export function mayDecide(approval: StoredApproval, person: Principal): boolean {
  return whyNot(approval, person) === undefined;
}

/** By the present roles and groups of the person. Only a sponsor decides requests of a chain that the person is in. */
function whyNot({ requestedBy, onBehalfOf, sponsor, approvers }: StoredApproval, person: Principal): string | undefined {
  const { id, kind } = person;
  if (id === requestedBy) return 'You made this request: another person decides it.';
  if (kind !== 'user') return 'A person decides this request.';
  if (sponsor !== null) return id === sponsor ? undefined : `${sponsor} decides this request, as the sponsor of the agent.`;
  if (onBehalfOf.includes(id)) return 'The request is made for you: another person decides it.';
  return approvers.some((member) => isMember(person, member)) ? undefined : 'The rule names other approvers.';
}

function maySee(approval: StoredApproval, person: Principal): boolean {
  return mayDecide(approval, person) || [approval.requestedBy, ...approval.onBehalfOf].includes(person.id);
}
