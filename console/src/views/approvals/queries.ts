// Approvals of the API. They are asked for again and again, because requests come and expire while a person looks.
import { queryOptions } from '@tanstack/react-query';
import { answerOf, api, PROOF } from '../../api/client.ts';
import type { operations } from '../../api/schema.d.ts';

type Answer<Operation extends keyof operations> = operations[Operation] extends { responses: { 200: { content: { 'application/json': infer Body } } } }
  ? Body
  : never;

export type Approval = Answer<'get_approvals'>['approvals'][number];
export type Usual = Answer<'get_approvals_id'>['usual'];

const EVERY_MS = 4_000;

/** `all`: for readers of the ledger. Else those that concern the person. */
export function approvalsQuery(which: 'all' | 'mine') {
  return queryOptions({
    queryKey: ['approvals', which],
    queryFn: async ({ signal }) => (await answerOf(which === 'all' ? api.GET('/approvals', { signal }) : api.GET('/approvals/mine', { signal }))).approvals,
    refetchInterval: EVERY_MS,
  });
}

export function approvalQuery(id: string) {
  return queryOptions({
    queryKey: ['approvals', 'one', id],
    queryFn: ({ signal }) => answerOf(api.GET('/approvals/{id}', { signal, params: { path: { id } } })),
    refetchInterval: EVERY_MS,
  });
}

export type Verb = 'approve' | 'deny';

export function decide({ id, verb, reason }: { readonly id: string; readonly verb: Verb; readonly reason: string }): Promise<Approval> {
  const asked = { params: { path: { id }, header: PROOF }, body: { reason } };
  return answerOf(verb === 'approve' ? api.POST('/approvals/{id}/approve', asked) : api.POST('/approvals/{id}/deny', asked));
}
