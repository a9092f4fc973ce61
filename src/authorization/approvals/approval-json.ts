// An approval as programs see it: in the admin API and in `lictor approvals --json`.
import type { StoredApproval } from '../../store/approvals.ts';

export interface ApprovalJson {
  readonly id: string;
  readonly requested_by: string;
  readonly on_behalf_of: readonly string[];
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string | null; readonly name: string | null };
  /** What the request asked for, without secrets. */
  readonly arguments: unknown;
  readonly rule: string;
  readonly requested_at: string;
  readonly expires_at: string;
  readonly state: string;
  readonly decided_by: string | null;
  readonly reason: string | null;
}

export function approvalJson(approval: StoredApproval): ApprovalJson {
  const { id, action, rule, state, reason } = approval;
  return {
    id,
    requested_by: approval.requestedBy,
    on_behalf_of: approval.onBehalfOf,
    action,
    resource: { type: approval.resourceType, id: approval.resourceId, name: approval.resourceName },
    arguments: JSON.parse(approval.shownArguments),
    rule,
    requested_at: new Date(approval.createdMs).toISOString(),
    expires_at: new Date(approval.expiresMs).toISOString(),
    state,
    decided_by: approval.decidedBy,
    reason,
  };
}
