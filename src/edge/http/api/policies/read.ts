// GET policies, policies/history, policies/revisions/{revision} and policies/diff: the own policies in force, and those before.
import { z } from 'zod';
import { policiesAt } from '../../../../authorization/policy/own/revisions.ts';
import { REASONS } from '../../../../contract/reasons.ts';
import type { PolicySet, PolicySetHead } from '../../../../store/policy-sets.ts';
import { apiRoute, type CallContext } from '../api-route.ts';
import { answered, filePatch, policyFiles, revisionNumber } from './shapes.ts';

const NEEDS = { action: 'access.read' } as const;

const revisionText = z
  .string()
  .regex(/^\d{1,9}$/, 'a revision is a number.')
  .transform(Number);

const head = z.strictObject({
  revision: revisionNumber,
  applied_at: z.string().nullable(),
  by: z.string().nullable(),
  why: z.string().describe('Empty: no reason was given'),
});

const apply = z
  .strictObject({ possible: z.boolean(), code: z.string().nullable(), detail: z.string().nullable(), hint: z.string().nullable() })
  .describe('Whether a draft can come into force, and why not');

export const policies = apiRoute({
  method: 'GET',
  path: '/policies',
  summary: 'Show the own policies in force',
  needs: NEEDS,
  answer: head.extend({ current_revision: z.number().describe('Also counts changes of the configuration'), files: policyFiles, apply }),
  async handle({ parts }) {
    const set = await parts.store.policySets.latest();
    const current = { current_revision: parts.revision, files: set?.files ?? {}, apply: applyJson(parts) };
    return { ok: true, body: { ...(set === undefined ? NONE : headJson(set)), ...current } };
  },
});

const NONE: z.input<typeof head> = { revision: 0, applied_at: null, by: null, why: '' };

function headJson({ revision, by, why, createdMs }: PolicySetHead): z.input<typeof head> {
  return { revision, applied_at: new Date(createdMs).toISOString(), by, why };
}

function applyJson({ policies: { obstacle } }: CallContext['parts']): z.input<typeof apply> {
  const found = obstacle();
  if (found === undefined) return { possible: true, code: null, detail: null, hint: null };
  const { detail, hint } = REASONS[found.code];
  return { possible: false, code: found.code, detail: found.detail ?? detail, hint };
}

const MOST_HEADS = 100;

export const policyHistory = apiRoute({
  method: 'GET',
  path: '/policies/history',
  summary: 'List the sets of own policies that came into force, newest first',
  needs: NEEDS,
  query: z.strictObject({
    limit: z
      .string()
      .regex(/^[1-9]\d{0,2}$/, `a whole number from 1 to ${MOST_HEADS}.`)
      .transform(Number)
      .refine((limit) => limit <= MOST_HEADS, `a whole number from 1 to ${MOST_HEADS}.`)
      .optional(),
    cursor: z
      .string()
      .regex(/^\d{1,16}$/, 'a cursor is `next` of the page before.')
      .transform(Number)
      .optional(),
  }),
  answer: z.strictObject({ sets: z.array(head), next: z.string().nullable() }),
  async handle({ query: { limit = MOST_HEADS, cursor }, parts }) {
    const sets = await parts.store.policySets.heads({ limit, before: cursor });
    return { ok: true, body: { sets: sets.map(headJson), next: sets.length < limit ? null : String(sets.at(-1)?.createdMs) } };
  },
});

export const policyRevision = apiRoute({
  method: 'GET',
  path: '/policies/revisions/{revision}',
  summary: 'Show the own policies that were in force at a revision',
  needs: NEEDS,
  params: z.strictObject({ revision: revisionText }),
  answer: z.strictObject({ revision: revisionNumber, files: policyFiles }),
  handle: ({ params, parts }) =>
    answered(async () => {
      const { revision, files } = await setAt(parts, params.revision);
      return { ok: true, body: { revision, files } };
    }),
});

export const policyDiff = apiRoute({
  method: 'GET',
  path: '/policies/diff',
  summary: 'Compare the own policies of two revisions',
  needs: NEEDS,
  query: z.strictObject({ from: revisionText, to: revisionText }),
  answer: z.strictObject({ from: revisionNumber, to: revisionNumber, patches: z.array(filePatch).readonly() }),
  handle: ({ query, parts }) =>
    answered(async () => {
      const [from, to] = [await setAt(parts, query.from), await setAt(parts, query.to)];
      const patches = await parts.policies.drafts.compare(labelled(from), labelled(to));
      return { ok: true, body: { from: from.revision, to: to.revision, patches } };
    }),
});

function labelled({ revision, files }: Pick<PolicySet, 'revision' | 'files'>) {
  return { label: `revision ${revision}`, files };
}

/** Revision 0 stands for no own policies at all: no set has it. */
export async function setAt({ store, revision: inUse }: CallContext['parts'], revision: number): Promise<Pick<PolicySet, 'revision' | 'files'>> {
  return revision === 0 ? { revision, files: {} } : policiesAt({ sets: store.policySets, inUse }, revision);
}
