// The person's side of an approval: who may see a waiting request, and who may decide it. The pages are elsewhere.
import type { Sealer } from '../../config/keys/sealer.ts';
import type { Clock } from '../../contract/clock.ts';
import type { Principal } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { isMember } from '../../identity/authn/roles.ts';
import { isRecentLogin } from '../../identity/authn/session/recent-login.ts';
import type { ApprovalDecision, Approvals, StoredApproval } from '../../store/approvals.ts';

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
  /** What waits for this person. */
  waitingFor(person: Principal): Promise<readonly StoredApproval[]>;
  /** For readers of the ledger: all, newest first. */
  list(): Promise<readonly StoredApproval[]>;
  /** The proof that a form must contain for a decision on this approval in this session. */
  proofFor(approval: Pick<StoredApproval, 'id'>, sessionId: string): string;
  /** Undefined: this person may decide it now. */
  objection(approval: StoredApproval, approver: Approver, proof: string): ReasonCode | undefined;
  /** False: decided before, or expired. */
  decide(approval: Pick<StoredApproval, 'id'>, decision: ApprovalDecision): Promise<boolean>;
}

export interface DeskParts {
  readonly approvals: Pick<Approvals, 'byId' | 'list' | 'decide'>;
  readonly sealer: Sealer;
  readonly clock: Clock;
  /** Nobody approves by rules that have changed. */
  readonly revision: number;
}

export function createApprovalDesk({ approvals, sealer, clock, revision }: DeskParts): ApprovalDesk {
  return {
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
      if (!mayDecide(approval, approver.principal)) return 'approver-other';
      if (approval.state !== 'pending' || approval.revision !== revision) return 'approval-over';
      return isRecentLogin(approver, clock()) ? undefined : 'login-not-recent';
    },
    decide: ({ id }, decision) => approvals.decide(id, decision),
  };
}

function aboutDecision(sessionId: string): string {
  return `decision on an approval in session ${sessionId}`;
}

/** By the present roles and groups of the person. Only a sponsor decides requests of a chain that the person is in. */
export function mayDecide(approval: StoredApproval, person: Principal): boolean {
  const { id, kind } = person;
  const { requestedBy, onBehalfOf, sponsor, approvers } = approval;
  if (kind !== 'user' || id === requestedBy) return false;
  if (sponsor !== null) return id === sponsor;
  return !onBehalfOf.includes(id) && approvers.some((member) => isMember(person, member));
}

function maySee(approval: StoredApproval, person: Principal): boolean {
  return mayDecide(approval, person) || [approval.requestedBy, ...approval.onBehalfOf].includes(person.id);
}
