// GET approvals: all requests that wait or waited for an approval, newest first, for principals with `ledger.read` on everything.
import { z } from 'zod';
import { approvalJson } from '../../../authorization/approvals/approval-json.ts';
import { apiRoute } from './api-route.ts';

const approval = z.strictObject({
  id: z.string(),
  requested_by: z.string(),
  on_behalf_of: z.array(z.string()).readonly(),
  action: z.string(),
  resource: z.strictObject({ type: z.string(), id: z.string().nullable(), name: z.string().nullable() }),
  arguments: z.unknown().describe('What the request asked for, without secrets'),
  rule: z.string(),
  expires_at: z.string(),
  state: z.string(),
  decided_by: z.string().nullable(),
  reason: z.string().nullable(),
});

export const approvals = apiRoute({
  method: 'GET',
  path: '/approvals',
  summary: 'List the requests that wait or waited for an approval',
  needs: { action: 'ledger.read' },
  answer: z.strictObject({ approvals: z.array(approval) }),
  async handle({ parts }) {
    return { ok: true, body: { approvals: (await parts.approvals.list()).map(approvalJson) } };
  },
});
