// GET approvals: all requests that wait or waited for an approval, newest first. GET approvals/mine: those of the person that asks.
import { z } from 'zod';
import { apiRoute } from '../api-route.ts';
import { approval, approvalBody } from './shape.ts';

const answer = z.strictObject({ approvals: z.array(approval) });

export const approvals = apiRoute({
  method: 'GET',
  path: '/approvals',
  summary: 'List the requests that wait or waited for an approval',
  needs: { action: 'ledger.read' },
  answer,
  async handle(call) {
    return { ok: true, body: { approvals: (await call.parts.approvals.list()).map((each) => approvalBody(each, call)) } };
  },
});

export const myApprovals = apiRoute({
  method: 'GET',
  path: '/approvals/mine',
  summary: 'List the requests that you may decide or have made',
  needs: 'credential',
  answer,
  async handle(call) {
    const mine = await call.parts.approvals.concerning(call.authorization.principal);
    return { ok: true, body: { approvals: mine.map((each) => approvalBody(each, call)) } };
  },
});
