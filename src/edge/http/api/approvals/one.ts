// GET approvals/{id}: one request, its arguments beside those of earlier ones.
import { z } from 'zod';
import type { StoredApproval } from '../../../../store/approvals.ts';
import { apiRoute, type CallContext } from '../api-route.ts';
import { approval, approvalBody } from './shape.ts';
import { usualOf } from './usual-of.ts';

export const ID = z.strictObject({ id: z.string().max(64) });

const usual = z.strictObject({
  source: z.enum(['flow_runs', 'approvals']).describe('Earlier flow runs of the deployment, or earlier approvals of the same action and object'),
  count: z.number().describe('How many earlier requests'),
  unavailable: z.string().nullable().describe('Why they cannot be read; null: they can'),
  arguments: z.array(
    z.strictObject({
      name: z.string(),
      value: z.string().nullable().describe('JSON; null: the request does not give it'),
      same: z.number().describe('How many earlier requests have the same value'),
      others: z.array(z.strictObject({ value: z.string(), count: z.number() })).readonly(),
    }),
  ),
});

export const oneApproval = apiRoute({
  method: 'GET',
  path: '/approvals/{id}',
  summary: 'Show a request that waits for an approval, and what is usual for it',
  needs: 'credential',
  params: ID,
  answer: z.strictObject({ approval, usual }),
  async handle({ params, ...call }) {
    const stored = await visibleApproval(params.id, call);
    if (stored === undefined) return { ok: false, code: 'approval-unknown' };
    return { ok: true, body: { approval: approvalBody(stored, call), usual: await usualOf(stored, call) } };
  },
});

/** Readers of the ledger see all, other people those that concern them. */
async function visibleApproval(id: string, call: CallContext): Promise<StoredApproval | undefined> {
  const { approvals, decider } = call.parts;
  const concerning = await approvals.find(id, call.authorization.principal);
  if (concerning !== undefined || !(await decider.authorizeOwn(call.inputs, 'ledger.read')).ok) return concerning;
  return (await approvals.list()).find((each) => each.id === id);
}
