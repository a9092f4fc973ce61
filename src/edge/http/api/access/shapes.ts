// The shapes that the routes about rights share, and how refused questions are answered.
import { z } from 'zod';
import type { Answers, Kind, Questions } from '../../../../authorization/explain/review/protocol.ts';
import { parseScopeText, scopeProblem } from '../../../../config/scope.ts';
import { LictorError } from '../../../../contract/error.ts';
import { ACTION_GROUPS, RESOURCE_TYPES } from '../../../../contract/operation.ts';
import { isReasonCode } from '../../../../contract/reasons.ts';
import type { CallContext, Result } from '../api-route.ts';

export const actionName = z.string().min(1).max(100).describe('For example flow_runs.cancel');
export const principalName = z.string().min(1).max(500).describe('alice@local, token:NAME, agent:NAME, run:UUID, group:NAME@PROVIDER or role:viewer');
export const resourceText = z.string().min(1).max(1_000).describe('An id or name, TYPE, or TYPE:ID; left out: on all objects');
export const pasted = z.string().min(1).max(48_000).describe('A curl command, raw HTTP, or METHOD and path with a body. Credentials in it are not read');

export const resourceType = z.enum(RESOURCE_TYPES);
export const actionGroup = z.enum(ACTION_GROUPS);

const texts = z.array(z.string()).readonly();

/** What a matrix is about. */
export const ABOUT = {
  resource: z
    .string()
    .max(1_000)
    .transform((text, context) => {
      const [, type, id] = /^([A-Za-z]+):(.+)$/.exec(text) ?? [];
      const known = RESOURCE_TYPES.find((each) => each === type);
      if (known !== undefined && id !== undefined) return { type: known, id };
      context.addIssue({ code: 'custom', message: 'write TYPE:ID, for example FlowRun:0199c0de-0000-7000-8000-000000000001.' });
      return z.NEVER;
    })
    .optional()
    .describe('One object, as TYPE:ID'),
  scope: z
    .string()
    .max(1_000)
    .transform((text, context) => {
      const scope = parseScopeText(text);
      const problem = scope === undefined ? 'write tags=team-a, work_pools=pool-a, deployments=etl/* or another key of a scope.' : scopeProblem(scope)?.message;
      if (scope !== undefined && problem === undefined) return scope;
      context.addIssue({ code: 'custom', message: problem ?? '' });
      return z.NEVER;
    })
    .optional()
    .describe('Any object in this scope: tags=team-a work_pools=pool-a'),
};

export const PAGE = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional().describe('`next` of the page before'),
};

const policy = z.strictObject({ id: z.string(), file: z.string().nullable(), line: z.number().nullable(), description: z.string() });

const ask = z.strictObject({
  action: z.string(),
  group: actionGroup.nullable(),
  resource_type: resourceType,
  resource_id: z.string().nullable(),
  facts: z.record(z.string(), z.union([z.boolean(), z.number(), z.string(), texts])).readonly(),
  attributes: z
    .record(z.string(), z.union([z.string(), texts]))
    .readonly()
    .nullable()
    .describe('Of the object, as policies see them; null: not read, or not shown'),
  narrowed_to: texts.nullable().describe('Allowed only for objects in these scopes; null: for all'),
  decision: z.enum(['allow', 'deny']),
  reason: z.string(),
  policies: z.array(policy).readonly(),
});

const explanation = z.strictObject({
  decision: z.enum(['allow', 'deny']),
  reason: z.string(),
  detail: z.string(),
  hint: z.string(),
  status: z.number().nullable().describe('Of the refusal; null: the request would be forwarded'),
  depends_on_body: z.boolean(),
  principal: z.strictObject({
    id: z.string(),
    kind: z.string(),
    idp: z.string().nullable(),
    hypothetical: z.boolean(),
    roles: z.array(z.strictObject({ role: z.string(), scope: z.string().nullable(), from: texts })).readonly(),
  }),
  request: z
    .strictObject({
      method: z.string(),
      path: z.string(),
      query: z.string().describe('Without values'),
      operation: z.string().nullable(),
      route: z.string().nullable(),
      path_taken: z.string().nullable(),
    })
    .nullable(),
  asks: z.array(ask).readonly().describe('The rights that it needs: all must be allowed'),
  further: z.array(ask).readonly().describe('Rights that a body may need besides or instead'),
  revision: z.number().nullable(),
  notes: texts,
});

export const explained = z.strictObject({
  explanation,
  with_approval: z.boolean().describe('Allowed after a person has approved'),
  remedies: texts.describe('What would change the answer'),
});

/** `usage` and `principal-unknown` are faults of the question, with words for the person who asked it. */
export async function review<K extends Kind>(
  kind: K,
  question: Questions[K],
  { parts, authorization }: Pick<CallContext, 'parts' | 'authorization'>,
): Promise<Result<Answers[K]>> {
  try {
    return { ok: true, body: await parts.accessReview.ask(kind, question, authorization.principal.id) };
  } catch (error) {
    if (!(error instanceof LictorError)) throw error;
    if (error.code === 'usage' || error.code === 'principal-unknown') return { ok: false, code: 'request-invalid', detail: error.message };
    if (!isReasonCode(error.code)) throw error;
    return { ok: false, code: error.code, detail: error.message };
  }
}
