// PUT policies and POST policies/rollback: bring own policies into force, as the command line does, on the revision that the person saw.
import { z } from 'zod';
import type { PolicyFiles } from '../../../../contract/policy-files.ts';
import { POLICY_CHANGE } from '../../../../contract/policy-outcome.ts';
import { apiRoute, type CallContext, type Result } from '../api-route.ts';
import { setAt } from './read.ts';
import { answered, DRAFT_BYTES, policyFiles, revisionNumber, why } from './shapes.ts';

const NEEDS = { action: 'policies.write' } as const;
const base = revisionNumber.describe('`revision` of the policies that the person saw in force: with another one, nothing is applied');
const applied = z.strictObject({ from: z.number(), to: z.number().describe('The new revision') });

export const applyPolicies = apiRoute({
  method: 'PUT',
  path: '/policies',
  summary: 'Apply a set of own policies, and write its files',
  needs: NEEDS,
  bodyLimit: DRAFT_BYTES,
  body: z.strictObject({ base, files: policyFiles, why }),
  answer: applied,
  handle: ({ body, ...context }) => apply(body, context),
});

export const rollBackPolicies = apiRoute({
  method: 'POST',
  path: '/policies/rollback',
  summary: 'Apply the own policies of a former revision again',
  needs: NEEDS,
  body: z.strictObject({ base, revision: revisionNumber, why }),
  answer: applied,
  handle: ({ body, ...context }) =>
    answered(async () => {
      const { files, revision } = await setAt(context.parts, body.revision);
      return apply({ base: body.base, files, why: body.why === '' ? `rollback to revision ${revision}` : body.why }, context);
    }),
});

interface Applying {
  readonly base: number;
  readonly files: PolicyFiles;
  readonly why: string;
}

function apply({ base, files, why }: Applying, { authorization, record, parts }: CallContext): Promise<Result<z.input<typeof applied>>> {
  return answered(async () => {
    const outcome = await parts.policies.apply({
      ...{ base, files, why },
      by: authorization.principal.id,
      onBehalfOf: authorization.principal.onBehalfOf,
      record: (change) => record({ ...POLICY_CHANGE, resource_id: null, ...change }),
    });
    return outcome.applied ? { ok: true, body: { from: outcome.from, to: outcome.to } } : { ok: false, code: outcome.code, detail: outcome.detail };
  });
}
