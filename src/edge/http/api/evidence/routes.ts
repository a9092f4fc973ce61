// POST evidence and evidence/verification: the report of a period, and whether the ledger is unchanged. One line of JSON for each step.
import { Readable } from 'node:stream';
import { z } from 'zod';
import { LictorError } from '../../../../contract/error.ts';
import { isReasonCode, REASONS, type ReasonCode, refusalBody } from '../../../../contract/reasons.ts';
import { apiRoute, type CallContext, type Result } from '../api-route.ts';
import type { EvidenceJob, EvidenceStep } from './protocol.ts';

const verification = z.strictObject({
  proven: z.boolean(),
  doubt: z.string().nullable().describe('Why not; null: proven'),
  records: z.number(),
  checkpoints: z.number(),
  signed_at: z.string().nullable(),
  pruned: z.number().describe('Earlier parts that retention deleted'),
  problems: z.array(z.string()).readonly(),
});

const progress = z.strictObject({ progress: z.strictObject({ phase: z.enum(['period', 'ledger']), records: z.number() }) });
const refusal = z.strictObject({ refusal: z.looseObject({ code: z.string(), detail: z.string() }) });
const report = z.strictObject({
  document: z.looseObject({ title: z.string() }).describe('The report as sections of blocks'),
  files: z.array(z.strictObject({ name: z.string(), text: z.string() })).describe('Those of lictor evidence'),
  verification,
});

const reportLine = z.union([progress, z.strictObject({ report }), refusal]);
const verificationLine = z.union([progress, z.strictObject({ verification }), refusal]);

const day = z.iso.date().describe('A day (UTC)');
const DAY_MS = 86_400_000;
const NDJSON = 'application/x-ndjson';

export const makeEvidence = apiRoute({
  method: 'POST',
  isRead: true,
  path: '/evidence',
  summary: 'Make the access review and audit report of a period: one line of JSON for each step, the report in the last one',
  needs: { action: 'access.read' },
  body: z.strictObject({ from: day, to: day.describe('The last day') }),
  answer: reportLine,
  mediaType: NDJSON,
  async handle({ body, ...context }) {
    const [fromMs, toMs] = [Date.parse(body.from), Date.parse(body.to) + DAY_MS];
    if (fromMs >= toMs) return { ok: false, code: 'request-invalid', detail: 'body.from is after body.to.' };
    if (fromMs > context.parts.clock()) return { ok: false, code: 'request-invalid', detail: 'body.from is in the future.' };
    return await start({ job: 'report', from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() }, context);
  },
});

export const verifyEvidence = apiRoute({
  method: 'POST',
  isRead: true,
  path: '/evidence/verification',
  summary: 'Verify that no record was edited, removed, added or moved: one line of JSON for each step',
  needs: { action: 'access.read' },
  answer: verificationLine,
  mediaType: NDJSON,
  handle: (context) => start({ job: 'verify', from: '', to: '' }, context),
});

/** A report is about rights and records, so it needs both rights. The first step decides between a refusal and the stream. */
async function start<A>(job: Pick<EvidenceJob, 'job' | 'from' | 'to'>, context: CallContext): Promise<Result<A>> {
  const { parts, inputs, authorization } = context;
  const reading = await parts.decider.authorizeOwn(inputs, 'ledger.read');
  if (!reading.ok) return { ok: false, code: reading.reason, detail: reading.detail };
  const steps = parts.evidence.run({ ...job, by: authorization.principal.id, nowMs: parts.clock() });
  try {
    const first = await steps.next();
    return { ok: true, send: (reply) => reply.type(NDJSON).send(Readable.from(linesOf(first, steps, context))) };
  } catch (error) {
    return { ok: false, code: codeOf(error, context) };
  }
}

/** When the client goes away, the stream ends and stops the thread. */
async function* linesOf(first: IteratorResult<EvidenceStep, void>, steps: AsyncGenerator<EvidenceStep, void>, context: CallContext): AsyncGenerator<string> {
  try {
    if (first.done !== true) yield lineOf(first.value);
    for await (const step of steps) yield lineOf(step);
  } catch (error) {
    const code = codeOf(error, context);
    yield `${JSON.stringify({ refusal: refusalBody(code, context.inputs.requestId, REASONS[code].detail) } satisfies z.input<typeof refusal>)}\n`;
  } finally {
    await steps.return();
  }
}

function lineOf(step: EvidenceStep): string {
  return `${JSON.stringify(shownStep(step))}\n`;
}

function shownStep(step: EvidenceStep): z.input<typeof reportLine> | z.input<typeof verificationLine> {
  if (step.type === 'progress') return { progress: { phase: step.phase, records: step.records } };
  if (step.type === 'verified') return { verification: step.verification };
  const files = step.files.map(([name, text]) => ({ name, text }));
  return { report: { document: step.document, files, verification: step.verification } };
}

function codeOf(error: unknown, { parts: { log } }: CallContext): ReasonCode {
  if (error instanceof LictorError && isReasonCode(error.code)) return error.code;
  log.warn({ err: error }, 'evidence could not be made');
  return 'evidence-too-long';
}
