// POST policies/check and policies/simulate: what a draft of own policies would do. Both change nothing.
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { SimulationStep } from '../../../../authorization/explain/drafts/protocol.ts';
import { unknownPrincipals } from '../../../../authorization/explain/unknown-principals.ts';
import { parseDurationSeconds } from '../../../../config/duration.ts';
import { REASONS, refusalBody } from '../../../../contract/reasons.ts';
import { apiRoute, type CallContext, type Result } from '../api-route.ts';
import { answered, DRAFT_BYTES, draftReport, firstProblem, policyFiles, reportJson } from './shapes.ts';

const NEEDS = { action: 'access.read' } as const;

export const checkPolicies = apiRoute({
  method: 'POST',
  isRead: true,
  path: '/policies/check',
  summary: 'Check a draft of own policies, and run its decision vectors',
  needs: NEEDS,
  bodyLimit: DRAFT_BYTES,
  body: z.strictObject({ files: policyFiles }),
  answer: draftReport,
  handle: ({ body: { files }, parts: { policies, store, config, clock } }) =>
    answered(async () => {
      const last = await store.policySets.latest();
      const from = { label: `revision ${last?.revision ?? 0}`, files: last?.files ?? {} };
      const checked = await policies.drafts.check({ files, from });
      const unknown = await unknownPrincipals(files, { config, store: async () => store, nowMs: clock() });
      return { ok: true, body: reportJson({ ...checked, warnings: [...checked.warnings, ...unknown] }) };
    }),
});

const counts = ['same', 'now-denied', 'now-allowed', 'may-change', 'unlike-then', 'principal-unknown', 'not-by-policy'] as const;

const group = z.strictObject({
  change: z.enum(['now-denied', 'now-allowed', 'may-change']),
  principal: z.string(),
  action: z.string(),
  resource_type: z.string(),
  policies: z.array(z.string()).readonly(),
  right: z.string().nullable().describe('The further right that the body may have needed'),
  count: z.number(),
  requests: z.array(z.string()).readonly().describe('At most 1,000 request ids, oldest first'),
  samples: z
    .array(
      z.strictObject({
        request_id: z.string(),
        time: z.string(),
        resource_id: z.string().nullable(),
        flow_run_id: z.string().nullable(),
        status: z.number().nullable().describe('Of the recorded answer'),
      }),
    )
    .readonly()
    .describe('Of the first 20 requests'),
  roles: z.array(z.string()).readonly().describe('Of the principal, today'),
});

const simulation = z.strictObject({
  since: z.string(),
  ledger_from: z.string().nullable().describe("The time of the ledger's oldest record, if it is later than `since`"),
  records: z.number(),
  counts: z.record(z.enum(counts), z.number()),
  changes: z.array(group).readonly(),
  unlike_then: z.array(z.string()).readonly(),
  unknown_principals: z.array(z.string()).readonly(),
});

const line = z.union([
  z.strictObject({ progress: z.strictObject({ records: z.number(), since: z.string(), through: z.string(), until: z.string() }) }),
  z.strictObject({ simulation }),
  z.strictObject({ refusal: z.looseObject({ code: z.string(), detail: z.string() }) }),
]);

const MOST_SECONDS = 366 * 86_400;

export const simulatePolicies = apiRoute({
  method: 'POST',
  isRead: true,
  path: '/policies/simulate',
  summary: 'Replay the ledger with a draft of own policies: one line of JSON for each step, the result in the last one',
  needs: NEEDS,
  bodyLimit: DRAFT_BYTES,
  body: z.strictObject({
    files: policyFiles,
    since: z
      .string()
      .refine((text) => secondsOf(text) !== undefined, 'write 24h, 7d or 90d.')
      .default('7d'),
  }),
  answer: line,
  mediaType: 'application/x-ndjson',
  handle: ({ body: { files, since }, ...context }) => answered(() => simulate({ files, sinceSeconds: secondsOf(since) ?? 0 }, context)),
});

/** Undefined: no duration, or more than a year. */
function secondsOf(text: string): number | undefined {
  const seconds = parseDurationSeconds(text);
  return seconds !== undefined && seconds > 0 && seconds <= MOST_SECONDS ? seconds : undefined;
}

interface Asked {
  readonly files: Readonly<Record<string, string>>;
  readonly sinceSeconds: number;
}

/** The first step decides between a refusal and the stream. When the client goes away, the stream ends and stops the thread. */
async function simulate({ files, sinceSeconds }: Asked, context: CallContext): Promise<Result<z.input<typeof line>>> {
  const { policies, config, clock } = context.parts;
  const { identityProviders, roles, agents } = config;
  const nowMs = clock();
  const since = new Date(nowMs - sinceSeconds * 1000).toISOString();
  const steps = policies.drafts.simulate({ files, since, nowMs, config: { identityProviders, roles, agents } });
  const first = await steps.next();
  if (first.done !== true && first.value.type === 'invalid') {
    await steps.return();
    return { ok: false, code: 'policies-invalid', detail: firstProblem(first.value.checked) };
  }
  const lines = linesOf(steps, { since, until: new Date(nowMs).toISOString() }, context);
  return { ok: true, send: (reply) => reply.type('application/x-ndjson').send(Readable.from(lines)) };
}

async function* linesOf(
  steps: AsyncGenerator<SimulationStep>,
  period: { readonly since: string; readonly until: string },
  { inputs, parts: { log } }: CallContext,
): AsyncGenerator<string> {
  const text = (object: z.input<typeof line>) => `${JSON.stringify(object)}\n`;
  try {
    for await (const step of steps) {
      if (step.type === 'progress') yield text({ progress: { ...period, ...step.progress } });
      if (step.type === 'simulated') yield text({ simulation: step.simulation });
    }
  } catch (error) {
    log.warn({ err: error }, 'a simulation did not end');
    yield text({ refusal: refusalBody('draft-too-long', inputs.requestId, REASONS['draft-too-long'].detail) });
  }
}
