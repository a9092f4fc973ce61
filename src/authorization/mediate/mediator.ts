// Requests that Lictor decides by their body: authenticate, parse, plan, decide, record the intent, forward, record the outcome, answer.
import { renderStrict } from '../../contract/json/strict-json.ts';
import type { Operation } from '../../contract/operation.ts';
import type { NewRecord } from '../../contract/record.ts';
import { createLookup } from '../../prefect/client/lookup.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import { UpstreamError } from '../../prefect/client/upstream-error.ts';
import { padToInterval } from '../decide/constant-time.ts';
import type { Authorization } from '../decide/decider.ts';
import type { Said } from '../decide/observe.ts';
import { isForeignWrite } from '../decide/origin.ts';
import { afterWrite } from './after-write.ts';
import { filterAnswer, outageRefusal } from './answer-steps.ts';
import { inTurns, type Work } from './body-work.ts';
import { locateCall, type MediatedRequest, readCall } from './call.ts';
import { NO_CONDITIONS, type RecordFields, type Verdict } from './conditions.ts';
import { decidePlan, refusalOf } from './decide-plan.ts';
import { withTagAsks } from './guarded-tags.ts';
import type { Call, Handler, Outcome, Plan, Refusal } from './handler.ts';
import { createHandlers } from './handlers.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { answerOf, narrow } from './lists/narrow-request.ts';
import { decidedRecord, itemRecord, type MediatedRecord, type Subject } from './mediated-record.ts';
import { enforcedRefusal, saidOfForwarded, saidOfList, wouldDenyHeader } from './observed.ts';
import type { MediatorParts } from './parts.ts';
import { stampOf } from './provenance.ts';
import { absentResponse, forClient, type MediatedResponse, refusalResponse } from './responses.ts';
import { scopeFilterOf, scopeFilterOfPrincipal } from './scope-filter-of.ts';
import { guardTags } from './started-by-tag.ts';

export type { MediatedRequest } from './call.ts';
export type { MediatorParts } from './parts.ts';
export type { MediatedResponse } from './responses.ts';

export interface Mediator {
  /** Never throws: a failure becomes a 503 with a code. HEAD and OPTIONS do not come here. */
  handle(request: MediatedRequest): Promise<MediatedResponse>;
}

export function createMediator(parts: MediatorParts): Mediator {
  const handlerOf = createHandlers({ publicUrl: parts.config.publicUrl, eventRules: parts.eventRules, runTokens: parts.runTokens });
  return {
    async handle(request) {
      const operation = parts.catalogue.byId(request.inputs.operation);
      const params = operation === undefined ? {} : (parts.catalogue.params(operation, request.inputs.path) ?? {});
      const exchange: Exchange = { parts, subject: { request, operation, params, startedMs: parts.clock() }, handler: handlerOf(request.inputs.operation) };
      try {
        return await mediate(exchange);
      } catch (error) {
        // Nothing has been forwarded: forward() handles its own failures.
        parts.warn?.('a mediated request failed before it was forwarded', error);
        return refusalResponse({ code: error instanceof UpstreamError ? error.reason : 'gateway-unavailable' }, request.inputs.requestId);
      }
    },
  };
}

interface Exchange {
  readonly parts: MediatorParts;
  readonly subject: Subject;
  readonly handler: Handler;
}

async function mediate(exchange: Exchange): Promise<MediatedResponse> {
  const { parts, subject, handler } = exchange;
  const { request, operation } = subject;
  // A principal without any right on the route gets that answer, and learns nothing about its body.
  const identity = await parts.decider.precheck(request.inputs, request.serves);
  if (!identity.ok) return refuse(exchange, identity, refusalOf(identity));
  if (operation === undefined) return refuse(exchange, identity, { code: 'action-unknown' });
  if (isForeignWrite(identity.credential, request.inputs, request.inputs.method)) return refuse(exchange, identity, { code: 'origin-foreign' });
  const early = parts.conditions?.refusesAtOnce?.(identity.principal, request.tool ?? null);
  if (early !== undefined) return refuse(exchange, identity, early);

  const readsParameters = parts.decider.readsParameters || parts.conditions?.readsParameters?.(identity.principal) === true;
  const located = locateCall({ catalogue: parts.catalogue, operation, handler, readsParameters }, request);
  if (!located.ok) return refuse(exchange, identity, located.refusal);
  // A large body stays in nginx until the budget has room for it.
  const work = await parts.bodies.begin(identity.principal.id, request.body.length);
  if (typeof work === 'string') return refuse(exchange, identity, { code: work });
  try {
    const body = Buffer.isBuffer(request.body) ? request.body : await request.body.read();
    const opened = readCall(located, body.length === 0 ? undefined : await work.read(body));
    return opened.ok ? await decideCall(exchange, { identity, call: opened.call, work }) : await refuse(exchange, identity, opened.refusal);
  } finally {
    work.end();
  }
}

interface Opened {
  readonly identity: Extract<Authorization, { ok: true }>;
  readonly call: Call;
  readonly work: Work;
}

async function decideCall(exchange: Exchange, opened: Opened): Promise<MediatedResponse> {
  const { parts, subject, handler } = exchange;
  const { identity, work } = opened;
  const { request } = subject;
  const lookup = inTurns(createLookup(parts.upstream), work);
  await work.turn();
  const scopedCall = { ...opened.call, turn: work.turn, ...scopeFilterOfPrincipal(parts, request.inputs, identity.principal) };
  const call = parts.config.startedByTag ? await guardTags(scopedCall, lookup) : scopedCall;
  const planned = await handler.plan(call, lookup);
  if (!planned.ok) return refuse(exchange, identity, planned.refusal);

  await work.turn();
  const asking = await withTagAsks(call, planned.plan, identity.principal, { guardedTags: parts.guardedTags, lookup });
  const { plan, authorization } = await decidePlan(parts.decider, call, asking);
  const refusal = enforcedRefusal(plan, authorization, call.operation);
  if (!authorization.ok || refusal !== undefined) return refuse(exchange, authorization, refusal ?? { code: 'policy-default-deny' });
  await work.turn();
  const verdict = await (parts.conditions ?? NO_CONDITIONS).check({ call, plan, authorization, tool: request.tool ?? null });
  return verdict.ok ? forwardSettled(exchange, { call, plan, authorization, verdict }) : refuse(exchange, authorization, verdict.refusal, verdict.record);
}

type Passed = Extract<Verdict, { ok: true }>;

/** Settles the conditions once, with what is known of the outcome in the end. */
async function forwardSettled(exchange: Exchange, decided: Omit<Decided, 'progress'>): Promise<MediatedResponse> {
  const progress: Progress = { known: { kind: 'not-sent' } };
  let bytes = 0;
  try {
    const response = await forward(exchange, { ...decided, progress });
    bytes = response.body.length;
    return response;
  } finally {
    await decided.verdict.settle?.({ ...progress.known, bytes }).catch((error: unknown) => exchange.parts.warn?.('a condition could not be settled', error));
  }
}

async function refuse({ parts, subject }: Exchange, authorization: Authorization, given: Refusal, further: RecordFields = {}): Promise<MediatedResponse> {
  const { headers, inputs } = subject.request;
  const { requestId } = inputs;
  const refusal = forClient(headers, given);
  const response = refusal.code === 'object-foreign' ? absentResponse(subject.operation, subject.params) : refusalResponse(refusal, requestId);
  const record = decidedRecord(subject, authorization, { decision: 'deny', reason: refusal.code, mode: 'enforce' });
  await isRecorded(parts, parts.ledger.append({ ...record, ...further, ...responseFields(parts, subject, response) }));
  if (refusal.code === 'object-foreign') await padToInterval(parts.clock() - subject.startedMs, parts.pause);
  return response;
}

interface Decided {
  readonly call: Call;
  readonly plan: Plan;
  readonly authorization: Extract<Authorization, { ok: true }>;
  readonly verdict: Passed;
  readonly progress: Progress;
}

interface Progress {
  known: { readonly kind: 'not-sent' | 'unknown' } | { readonly kind: 'answered'; readonly answer: UpstreamAnswer };
}

async function forward(exchange: Exchange, decided: Decided): Promise<MediatedResponse> {
  const { parts, subject } = exchange;
  const { call, plan, authorization, verdict, progress } = decided;
  const { inputs, headers } = subject.request;
  const { principal } = authorization;
  const whole = plan.rewrite === undefined ? call.tree : plan.rewrite(stampOf(parts.config, { ...subject.request, principal, record: verdict.record }));
  const narrowTo = (restrictions: typeof authorization.restrictions) =>
    narrow(call, whole, { restrictions, ...scopeFilterOf(parts, inputs) }).catch(outageRefusal);
  const narrowed = await narrowTo(authorization.restrictions);
  if (!('ok' in narrowed)) return refusalResponse(narrowed, inputs.requestId, 'forwarded');
  if (!narrowed.ok) return refuse(exchange, authorization, narrowed.refusal);
  await call.turn();
  const body = !narrowed.forward || narrowed.tree === undefined ? null : renderStrict(narrowed.tree);
  const isPermitted = plan.optionalPermission !== undefined && (await parts.decider.authorizeNow(inputs, [plan.optionalPermission])).ok;

  const said = await saidOfList(saidOfForwarded(plan, authorization, call.operation), authorization, narrowTo);
  const record = { ...decidedRecord(subject, authorization, said), ...verdict.record };
  const needsIntent = plan.intent ?? call.operation.writes;
  const isIntended = needsIntent && parts.ledger.healthy() && (await isRecorded(parts, parts.ledger.intend(record)));
  if (needsIntent && !isIntended && parts.config.ledger.failClosed) return refusalResponse({ code: 'ledger-unavailable' }, inputs.requestId);

  const recorder: Recorder = { parts, record, isIntended, verdict, said };
  try {
    if (!narrowed.forward) return await concluded(exchange, recorder, { plan, answer: answerOf(narrowed.answer), isPermitted });
    const sent = requestHeaders(headers, parts.config.forwardHeaders, body);
    const path = upstreamPath(call.operation, inputs.path, parts.config.publicUrl.basePath);
    progress.known = { kind: 'unknown' };
    const answer = await parts.upstream.request({ method: call.operation.method, path, query: inputs.args, headers: sent, body });
    progress.known = { kind: 'answered', answer };
    if (call.operation.writes) await afterWrite(parts, { call, plan, answer, creator: principal });
    const filtered = await filterAnswer({ parts, inputs, plan, authorization }, { answer, ...narrowed });
    if ('code' in filtered) return await withheld(exchange, recorder, { refusal: filtered, upstreamMs: answer.upstreamMs });
    return await concluded(exchange, recorder, { plan, answer: filtered, isPermitted });
  } catch (error) {
    return unanswered(exchange, recorder, error);
  }
}

/** Prefect serves its UI below the path of public_url, and its API at the root. nginx has removed the path from both. */
function upstreamPath({ operationId }: Operation, path: string, basePath: string): string {
  return operationId.startsWith('ui:') ? `${basePath}${path}` : path;
}

interface Recorder {
  readonly parts: MediatorParts;
  readonly record: MediatedRecord;
  /** False: Lictor writes the whole record after the answer. */
  readonly isIntended: boolean;
  readonly verdict: Passed;
  readonly said: Said;
}

function write({ parts, record, isIntended }: Recorder, outcome: Partial<NewRecord>): Promise<boolean> {
  return isRecorded(parts, isIntended ? parts.ledger.settle(record.request_id, outcome) : parts.ledger.append({ ...record, ...outcome }));
}

interface Answered {
  readonly plan: Plan;
  readonly answer: UpstreamAnswer;
  readonly isPermitted: boolean;
}

async function concluded(exchange: Exchange, recorder: Recorder, { plan, answer, isPermitted }: Answered): Promise<MediatedResponse> {
  const reply = plan.reply === undefined ? answer : plan.reply(answer, isPermitted);
  const left = await leaving(recorder, {
    status: reply.status,
    headers: { ...responseHeaders(reply.headers), ...wouldDenyHeader(recorder.said) },
    body: reply.body,
  });
  if (left === undefined) return withheld(exchange, recorder, { refusal: { code: 'answer-withheld' }, upstreamMs: answer.upstreamMs });
  const { parts, subject } = exchange;
  const { response, record } = left;
  const outcome: Outcome = plan.outcome?.(answer) ?? { record: {} };
  const whole: Partial<NewRecord> = { ...responseFields(parts, subject, response), upstream_ms: Math.round(answer.upstreamMs), ...record, ...outcome.record };
  const written = write(recorder, whole);
  // A durable intent is a record even if Lictor ends now. Only the outcome names what Prefect created, so that answer waits for it.
  if (!recorder.isIntended || Object.keys(outcome.record).length > 0) await written;
  for (const [index, item] of (outcome.items ?? []).entries()) {
    await isRecorded(parts, parts.ledger.append(itemRecord({ ...recorder.record, ...whole, redactions: null }, { item, number: index + 1 })));
  }
  return response;
}

interface Left {
  readonly response: MediatedResponse;
  readonly record: RecordFields | undefined;
}

/** Undefined: a condition could not store what it must know of the answer, or could not read the answer. */
async function leaving({ parts, verdict }: Recorder, answer: MediatedResponse): Promise<Left | undefined> {
  try {
    const { body, record } = (await verdict.bodyFor?.(answer)) ?? { body: answer.body };
    return { response: { ...answer, body }, record };
  } catch (error) {
    parts.warn?.('an answer is withheld', error);
    return undefined;
  }
}

/** Prefect's answer is not for this principal, so the record names nothing of it. */
async function withheld(
  { parts, subject }: Exchange,
  recorder: Recorder,
  { refusal, upstreamMs }: { readonly refusal: Refusal; readonly upstreamMs: number },
): Promise<MediatedResponse> {
  const response = refusalResponse(refusal, subject.request.inputs.requestId, 'forwarded');
  await write(recorder, {
    ...responseFields(parts, subject, response),
    upstream_ms: Math.round(upstreamMs),
    decision: 'deny',
    reason: refusal.code,
    mode: 'enforce',
  });
  return response;
}

/** Without a whole answer, Prefect may still have acted. The client may repeat the request freely only when Prefect cannot have acted. */
async function unanswered({ parts, subject }: Exchange, recorder: Recorder, error: unknown): Promise<MediatedResponse> {
  parts.warn?.('Prefect gave no answer to a mediated request', error);
  const code = error instanceof UpstreamError ? error.reason : 'upstream-unavailable';
  const isSafe = error instanceof UpstreamError && !error.forwarded;
  const response = refusalResponse({ code }, subject.request.inputs.requestId, isSafe ? 'not-forwarded' : 'forwarded');
  await write(recorder, { ...responseFields(parts, subject, response), reason: code });
  return response;
}

function responseFields(parts: MediatorParts, subject: Subject, response: MediatedResponse): Partial<NewRecord> {
  return { status: response.status, bytes: response.body.length, duration_ms: Math.max(0, Math.round(parts.clock() - subject.startedMs)) };
}

/** A failed write after the decision changes no answer: the ledger becomes unhealthy, and Lictor stops accepting writes. */
async function isRecorded(parts: MediatorParts, writing: Promise<void>): Promise<boolean> {
  try {
    await writing;
    return true;
  } catch (error) {
    parts.warn?.('a record could not be written', error);
    return false;
  }
}
