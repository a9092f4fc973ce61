// What the report says about approvals: the rules, and each approval of the period by its records.
import { expect, it } from 'vitest';
import type { LedgerRecord } from '../../contract/record.ts';
import { approvalRules } from './approvals.ts';
import type { ApprovalRow, EvidenceData } from './data.ts';
import { approvalsSection } from './sections/activity.ts';
import { createUsage } from './usage.ts';

const HELD = { principal: 'agent:copilot', on_behalf_of: ['alice@corp'], action: 'deployments.delete', resource_type: 'Deployment', resource_id: 'd1' };
const BOB = { principal: 'bob@corp', action: 'approval.approve', decision: 'allow' } as const;

function approvalsOf(...records: readonly Partial<LedgerRecord>[]): readonly ApprovalRow[] {
  const usage = createUsage();
  const empty = { request_id: 'r', approval_id: 'a1', on_behalf_of: [], policies: [], path_taken: null };
  for (const [minute, more] of records.entries()) usage.add({ ...empty, time: `2026-03-01T12:0${minute}:00.000Z`, ...more } as unknown as LedgerRecord);
  return usage.whole().approvals;
}

const HOLD = { ...HELD, decision: 'deny', reason: 'approval-required' } as const;
const RUN = { ...HELD, decision: 'allow', status: 204 } as const;

it('names who asked, who decided and when the request ran', () => {
  expect(approvalsOf(HOLD, HOLD, BOB, RUN)).toEqual([
    {
      id: 'a1',
      requested: '2026-03-01T12:00:00.000Z',
      requested_by: 'agent:copilot for alice@corp',
      action: 'deployments.delete',
      resource: 'Deployment d1',
      decisions: [{ time: '2026-03-01T12:02:00.000Z', outcome: 'approved', by: 'bob@corp' }],
      used: '2026-03-01T12:03:00.000Z',
      status: 204,
    },
  ]);
});

it('takes a denied request, an expired one and a rejected decision for no approval', () => {
  const denied = { ...BOB, action: 'approval.deny' };
  const [byOther] = approvalsOf(HOLD, { ...BOB, principal: 'alice@corp', decision: 'deny', reason: 'approver-other' }, denied, {
    ...HOLD,
    reason: 'approval-denied',
  });
  expect(byOther?.decisions.map(({ outcome, by }) => [outcome, by])).toEqual([
    ['rejected (approver-other)', 'alice@corp'],
    ['denied', 'bob@corp'],
  ]);
  expect(byOther?.used).toBeNull();
  expect(approvalsOf(HOLD)).toMatchObject([{ decisions: [], used: null }]);
});

it('lists a decision on a request of an earlier period, and no request without an approval', () => {
  expect(approvalsOf({ ...RUN, approval_id: null }, BOB)).toMatchObject([{ requested: null, requested_by: null, decisions: [{ outcome: 'approved' }] }]);
  expect(approvalsOf({ ...RUN, approval_id: null })).toEqual([]);
});

it('names the rules of lictor.yaml, and the agents whose writes need their sponsor', () => {
  const rule = { name: 'deletes', principals: ['agent:*'], actions: ['deployments.delete'], expiresMs: 1, notify: null };
  const agents = [
    { name: 'copilot', taint: 'approve' },
    { name: 'other', taint: 'deny' },
  ];
  expect(approvalRules({ approvals: [{ ...rule, approvers: 'sponsor' }], agents } as never)).toMatchObject([
    { name: 'deletes', approvers: ['sponsor'] },
    { name: 'taint', principals: ['agent:copilot'], approvers: ['sponsor'] },
  ]);
  expect(approvalRules({ approvals: [], agents: [] })).toEqual([]);
});

it('says that there is no rule only where there is none', () => {
  const words = (rules: EvidenceData['approvals']['rules']) => JSON.stringify(approvalsSection({ approvals: { rules, requests: [] } } as never).blocks);
  const rule = { name: 'deletes', principals: ['agent:*'], actions: ['deployments.delete'], approvers: ['sponsor'] };
  expect(words([rule])).toContain('"deletes"');
  for (const rules of [[rule], []]) expect(words(rules)).not.toContain('Not available');
});
