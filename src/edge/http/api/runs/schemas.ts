// The run, the rows and the start of a timeline as the admin API shows them.
import { z } from 'zod';
import type { Cancellation } from '../../../../record/timeline/cancellation.ts';
import type { RunHead } from '../../../../record/timeline/pages/head.ts';
import type { RecentRun } from '../../../../record/timeline/pages/recent.ts';
import { KINDS, LANES, type TimelineRow } from '../../../../record/timeline/pages/row.ts';
import type { ParentRun, Start } from '../../../../record/timeline/start.ts';

const text = z.string().nullable();
const count = z.number().nullable();
const list = z.array(z.string()).readonly();

const route = z.enum(['request', 'schedule', 'automation', 'unknown']);

const start: z.ZodType<Start> = z
  .strictObject({
    route,
    principal: text,
    principal_kind: text,
    idp: text,
    on_behalf_of: list,
    action: text,
    policies: list,
    source_ip: text,
    request_id: text,
    time: text,
    by: z.strictObject({ id: z.string(), name: text, made_by: text }).nullable().describe('The schedule or the automation'),
    get parent(): z.ZodType<ParentRun | null> {
      return z.strictObject({ flow_run_id: z.string(), name: text, start }).nullable();
    },
    evidence: z.enum(['ledger', 'event', 'label', 'none']).describe('ledger: proven; event, label: as Prefect says'),
    contradicting_label: text,
  })
  .meta({ id: 'RunStart' });

const cancellation = z
  .strictObject({
    ...{ record_id: z.string(), request_id: text, time: z.string(), principal: text, on_behalf_of: list, source_ip: text },
    decision: z.enum(['allow', 'deny']).nullable().describe('deny: observe mode let it through'),
    ...{ reason: text, policies: list },
  })
  .meta({ id: 'RunCancellation' }) satisfies z.ZodType<Cancellation>;

export const runHead = z
  .strictObject({
    id: z.string(),
    name: text,
    state: text,
    started_by: start,
    cancelled_by: cancellation.nullable().describe('The last request that cancelled it, also if it ran again; null: the ledger has none'),
    prefect: z.enum(['yes', 'no', 'unknown']).describe('Whether Prefect knows the run; unknown: it did not answer'),
    first_at: text,
    last_at: text,
    readable: z.boolean().describe("You may read it in Prefect: its page in Prefect's UI works for you"),
  })
  .meta({ id: 'TimelineRun' }) satisfies z.ZodType<RunHead & { readonly readable: boolean }>;

export const timelineRow = z
  .strictObject({
    key: z.string().describe('The same in every answer: a later row with this key replaces it'),
    kind: z.enum(KINDS),
    lane: z.enum(LANES),
    time: z.string(),
    duration_ms: count.describe('Null: a moment, or not over yet'),
    depth: z.number(),
    flow_run_id: z.string(),
    record_id: text,
    binding: z.enum(['verified', 'asserted', 'none']).nullable().describe('How the record is bound to the run; null: no record'),
    principal: text,
    on_behalf_of: list,
    what: text,
    state: text,
    state_type: text,
    status: count,
    decision: z.enum(['allow', 'deny']).nullable(),
    reason: text,
    observed: z.boolean().describe('A denial that was forwarded, because its principal is observed'),
    attempts: count,
    message: text.describe('The words of a state: untrusted text of the flow'),
    object_id: text,
    routine: z.boolean().describe('A read or a report that succeeded'),
  })
  .meta({ id: 'TimelineRow' }) satisfies z.ZodType<TimelineRow>;

export const recentRun = z
  .strictObject({
    id: z.string(),
    name: text,
    deployment_id: text,
    deployment: text,
    flow: text,
    state: text,
    state_type: text,
    seen_at: z.string(),
    route,
    principal: text,
    on_behalf_of: list,
    cancelled_by: cancellation.nullable(),
  })
  .meta({ id: 'RecentRun' }) satisfies z.ZodType<RecentRun>;
