// POST approvals/{id}/approve and approvals/{id}/deny: a person decides, after a recent login.
import { z } from 'zod';
import { apiRoute } from '../api-route.ts';
import { ID } from './one.ts';
import { approval, approvalBody } from './shape.ts';

const LONGEST_REASON = 200;

const decision = z.strictObject({ reason: z.string().max(LONGEST_REASON).default('').describe('Shown to the requester') });

export const decisions = (['approve', 'deny'] as const).map((verb) =>
  apiRoute({
    method: 'POST',
    path: `/approvals/{id}/${verb}`,
    summary: verb === 'approve' ? 'Let a waiting request pass once' : 'Deny a waiting request',
    needs: 'credential',
    refusalsAs: { action: `approval.${verb}`, resourceType: 'Approval' },
    params: ID,
    body: decision,
    answer: approval,
    async handle({ params: { id }, body: { reason }, record, ...call }) {
      const { approvals } = call.parts;
      const { principal } = call.authorization;
      const stored = await approvals.find(id, principal);
      if (stored === undefined) return { ok: false, code: 'approval-unknown' };
      const bar = approvals.bar(stored, principal);
      if (bar !== undefined) return { ok: false, ...bar };
      const change = { action: `approval.${verb}`, resource_type: 'Approval', resource_id: id, approval_id: id };
      if (!(await record(change))) return { ok: false, code: 'ledger-unavailable' };
      const isDecided = await approvals.decide(stored, { isApproved: verb === 'approve', decidedBy: principal.id, reason });
      const decided = await approvals.find(id, principal);
      if (!isDecided || decided === undefined) return { ok: false, code: 'approval-over' };
      return { ok: true, body: approvalBody(decided, call) };
    },
  }),
);
