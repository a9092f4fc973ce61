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
  readonly expires_at: string;
  readonly state: string;
  readonly decided_by: string | null;
  readonly reason: string | null;
}

export function approvalJson(approval: StoredApproval): ApprovalJson {
  const { id, requestedBy, onBehalfOf, action, resourceType, resourceId, resourceName, rule, shownArguments, expiresMs, state, decidedBy, reason } = approval;
  return {
    id,
    requested_by: requestedBy,
    on_behalf_of: onBehalfOf,
    action,
    resource: { type: resourceType, id: resourceId, name: resourceName },
    arguments: JSON.parse(shownArguments),
    rule,
    expires_at: new Date(expiresMs).toISOString(),
    state,
    decided_by: decidedBy,
    reason,
  };
}
