// For tests: a request that waits for an approval.
import type { NewApproval } from './approvals.ts';

export function anApproval(differing: Partial<NewApproval> = {}): NewApproval {
  return {
    id: 'approval-1',
    binding: 'b1',
    rule: 'deletes',
    requestedBy: 'agent:copilot',
    onBehalfOf: ['alice@local'],
    countedFor: 'agent:copilot',
    credentialId: 'lct_1',
    sponsor: 'alice@local',
    approvers: [],
    action: 'deployments.delete',
    resourceType: 'Deployment',
    resourceId: 'd1',
    resourceName: 'etl/nightly',
    shownArguments: '{"id":"d1"}',
    argumentsHash: 'a1',
    revision: 7,
    lifeMs: 900_000,
    ...differing,
  };
}
