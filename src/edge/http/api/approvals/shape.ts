// An approval in answers of the admin API, with what the person that asks may do about it.
import { z } from 'zod';
import { approvalJson } from '../../../../authorization/approvals/approval-json.ts';
import { actionWords } from '../../../../prefect/catalog/action-words.ts';
import type { StoredApproval } from '../../../../store/approvals.ts';
import type { CallContext } from '../api-route.ts';

export const approval = z.strictObject({
  id: z.string(),
  requested_by: z.string(),
  on_behalf_of: z.array(z.string()).readonly(),
  action: z.string(),
  action_text: z.string().describe('The action in words: delete deployments'),
  resource: z.strictObject({ type: z.string(), id: z.string().nullable(), name: z.string().nullable() }),
  arguments: z.unknown().describe('What the request asked for, without secrets'),
  rule: z.string(),
  requested_at: z.string(),
  expires_at: z.string(),
  state: z.string(),
  decided_by: z.string().nullable(),
  reason: z.string().nullable(),
  may_decide: z.strictObject({
    allowed: z.boolean(),
    reason: z.string().nullable().describe('Why not, as a code; null: allowed, after a recent login'),
    detail: z.string().nullable().describe('The same for people'),
  }),
});

export function approvalBody(stored: StoredApproval, { authorization, parts }: Pick<CallContext, 'authorization' | 'parts'>): z.input<typeof approval> {
  const bar = parts.approvals.bar(stored, authorization.principal);
  return {
    ...approvalJson(stored),
    action_text: actionWords(stored.action),
    may_decide: { allowed: bar === undefined, reason: bar?.code ?? null, detail: bar?.detail ?? null },
  };
}
