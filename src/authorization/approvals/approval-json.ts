// An approval as programs see it: in the admin API and in `lictor approvals --json`.
import type { StoredApproval } from '../../store/approvals.ts';

export function approvalJson(approval: StoredApproval): Readonly<Record<string, unknown>> {
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
