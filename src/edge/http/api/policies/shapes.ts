// The shapes that the routes of policies share, and how refused work on a draft is answered.
import { z } from 'zod';
import type { CheckedDraft } from '../../../../authorization/explain/drafts/protocol.ts';
import { isPolicyFile } from '../../../../authorization/policy/own/directory.ts';
import { problemsOf, type TestedPolicies } from '../../../../authorization/policy/own/tested.ts';
import type { Problem } from '../../../../config/problem.ts';
import { LictorError } from '../../../../contract/error.ts';
import { isReasonCode } from '../../../../contract/reasons.ts';
import type { Result } from '../api-route.ts';

/** The same limit as in nginx (own-large.conf). Texts are at most 640 KiB, and JSON escapes some characters. */
export const DRAFT_BYTES = 1024 * 1024;

export const policyFiles = z
  .record(z.string(), z.string())
  .refine((files) => Object.keys(files).every(isPolicyFile), 'names of files end in .cedar or .vectors.yaml.')
  .describe('File name -> text');

export const revisionNumber = z.int().min(0).describe('The first revision with these policies; 0: there were none');

export const why = z
  .string()
  .max(200)
  .regex(/^\P{Cc}*$/u, 'one line of at most 200 characters.');

const problem = z.strictObject({
  file: z.string().nullable(),
  line: z.number().nullable(),
  column: z.number().nullable().describe('From 1, in characters'),
  path: z.string().describe('The key in a file of vectors; empty: the text as a whole'),
  message: z.string(),
  remedy: z.string(),
});

const vector = z.strictObject({
  file: z.string(),
  line: z.number().nullable(),
  name: z.string(),
  action: z.string(),
  expect: z.enum(['allow', 'deny']),
  holds: z.boolean(),
  problem: z.string().nullable(),
});

export const filePatch = z.strictObject({
  name: z.string(),
  change: z.enum(['added', 'removed', 'changed']),
  patch: z.string().describe('Unified'),
});

export const draftReport = z.strictObject({
  problems: z.array(problem).describe('With any, the draft cannot be applied'),
  warnings: z.array(problem),
  vectors: z.array(vector).describe('Empty while the policies have a problem'),
  patches: z.array(filePatch).readonly().describe('The difference to the policies in force'),
});

export function reportJson(checked: CheckedDraft): z.input<typeof draftReport> {
  return {
    problems: problemsOf(checked).map(problemJson),
    warnings: checked.warnings.map(problemJson),
    vectors: (checked.vectors?.outcomes ?? []).map((outcome) => ({ ...outcome, holds: outcome.problem === null })),
    patches: checked.patches,
  };
}

function problemJson({ file, line, column, path, message, remedy }: Problem): z.input<typeof problem> {
  return { file: file ?? null, line: line ?? null, column: column ?? null, path, message, remedy };
}

/** For `detail`: the first problem, and how many there are. */
export function firstProblem(tested: TestedPolicies): string {
  const [first, ...others] = problemsOf(tested);
  if (first === undefined) return '';
  const place = [first.file, first.line, first.column].filter((part) => part !== undefined).join(':');
  return `${place}  ${first.message}${others.length === 0 ? '' : ` (and ${others.length} more)`}`;
}

/** Answers the errors of the thread and of `policiesAt` that a client can do something about. */
export async function answered<A>(work: () => Promise<Result<A>>): Promise<Result<A>> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LictorError)) throw error;
    if (['revision-future', 'revision-deleted'].includes(error.code)) return { ok: false, code: 'revision-unknown', detail: error.message };
    if (!isReasonCode(error.code)) throw error;
    return { ok: false, code: error.code, detail: error.message };
  }
}
