// `explain --request 'POST /api/...'`: the answers of edge, decider and mediator to a request, without sending it.

import type { Located } from '../../contract/decision.ts';
import { LictorError } from '../../contract/error.ts';
import { OWN_PREFIX } from '../../contract/names.ts';
import type { Operation } from '../../contract/operation.ts';
import { alternativeActions, EXTRA_ACTIONS } from '../../prefect/catalog/actions.ts';
import { UpstreamError } from '../../prefect/client/upstream-error.ts';
import { createEventMemory } from '../../prefect/events/memory.ts';
import { createEventRules } from '../../prefect/events/rules.ts';
import { locate as locateResource } from '../decide/asks.ts';
import { mustBeRead } from '../decide/bound.ts';
import { whyUnknown } from '../decide/decider.ts';
import { openCall } from '../mediate/call.ts';
import { decidePlan, refusalFor } from '../mediate/decide-plan.ts';
import { withTagAsks } from '../mediate/guarded-tags.ts';
import type { Handler, Lookup } from '../mediate/handler.ts';
import { createHandlers } from '../mediate/handlers.ts';
import { isCanonical } from './canonical.ts';
import { conclude, deciderFor, type ExplainerParts, evaluate, explainAsks, inputsOf, unseenNotes } from './explainer.ts';
import type { ExplainedRequest, Explanation } from './explanation.ts';
import { explainConnect, locateConnect } from './host-connect.ts';
import type { ResolvedPrincipal } from './principal.ts';
import { readLine } from './request-line.ts';
import { explainCall, locateCall } from './service-call.ts';

export interface RequestQuestion {
  /** `POST /api/...`, with the query; a whole URL of this gateway is fine too. */
  readonly line: string;
  /** Undefined: not given. The explanation then lists the rights that a body may need. */
  readonly body?: Buffer | undefined;
}

/** Throws LictorError `usage` when the line is no request to Prefect. */
export async function explainRequest(parts: ExplainerParts, resolved: ResolvedPrincipal, question: RequestQuestion): Promise<Explanation> {
  const connect = locateConnect(parts, question.line);
  if (connect !== undefined) return explainConnect(parts, resolved, connect);
  const call = locateCall(parts, question.line);
  if (call !== undefined) return explainCall(parts, resolved, call);
  const { request, operation } = locate(parts, question.line);
  const refuse = (reason: Explanation['reason'], notes: readonly string[] = []) => conclude(parts, resolved, { decision: 'deny', reason, request, notes });
  if (!isCanonical(request.path)) return refuse('path-not-canonical');
  if (operation === undefined) return refuse(whyUnknown(parts.catalogue, request.path), nearby(parts, request));
  if (operation.taken === 'deny') return refuse('route-denied');
  const asked: Asked = { parts, resolved, request, operation };
  try {
    return await (operation.taken === 'mediated' ? explainMediated(asked, question.body) : explainWhole(asked, question.body));
  } catch (error) {
    if (error instanceof UpstreamError) return explainUnseen(asked, error.reason);
    throw error;
  }
}

/** Without an answer of Prefect about a deciding object: the certain part, and the part that depends on the object. */
async function explainUnseen({ parts, resolved, request, operation }: Asked, reason: Explanation['reason']): Promise<Explanation> {
  const resource = ownResource(parts, operation, request);
  const asks = await Promise.all(alternativeActions(operation).map((action) => evaluate(parts, resolved, { action, resource })));
  const [first] = asks;
  const isCertain = first !== undefined && asks.every((ask) => ask.decision === 'deny' && ask.reason === first.reason);
  const unseen = unseenNotes(asks);
  const notes =
    unseen.length > 0 ? unseen.slice(0, 1) : [`Prefect cannot be asked about the objects that this request names, so it would be answered with 503 now.`];
  return conclude(parts, resolved, { decision: 'deny', reason: isCertain ? first.reason : reason, request, asks, notes });
}

interface Asked {
  readonly parts: ExplainerParts;
  readonly resolved: ResolvedPrincipal;
  readonly request: ExplainedRequest;
  readonly operation: Operation;
}

/** Direct, and the sockets: the operation's own action on its own resource. */
async function explainWhole(asked: Asked, body: Buffer | undefined): Promise<Explanation> {
  const { parts, resolved, request, operation } = asked;
  const answer = await deciderFor(parts, resolved).authorize(inputsOf(request), []);
  // A restricted request takes the mediated path. Sockets have no body.
  const isRead = answer.ok && (answer.restrictions.length > 0 || mustBeRead(answer.principal, operation));
  if (isRead && operation.taken === 'direct') return withBody(asked, handlerOf(parts, operation), body ?? Buffer.alloc(0));
  const restricted = answer.ok && answer.restrictions.length > 0;
  const reason = answer.ok ? (restricted ? 'scope-not-filterable' : 'policy-permits') : answer.reason;
  const detail = answer.ok ? undefined : answer.detail;
  return conclude(parts, resolved, { decision: answer.ok && !restricted ? 'allow' : 'deny', reason, detail, request, asks: explainAsks(parts, answer, []) });
}

async function explainMediated(asked: Asked, body: Buffer | undefined): Promise<Explanation> {
  const { parts, resolved, request, operation } = asked;
  const decider = deciderFor(parts, resolved);
  const before = await decider.precheck(inputsOf(request));
  if (!before.ok) {
    const notes = ['This is decided before the body is read: none of what the route can mean is permitted.'];
    return conclude(parts, resolved, { decision: 'deny', reason: before.reason, detail: before.detail, request, asks: explainAsks(parts, before, []), notes });
  }
  const handler = handlerOf(parts, operation);
  const bodiless = operation.method === 'GET' || operation.method === 'DELETE' || handler.operations.length === 0;
  if (body === undefined && !bodiless) return withoutBody(asked);
  return withBody(asked, handler, body ?? Buffer.alloc(0));
}

function handlerOf({ publicUrl }: ExplainerParts, { operationId }: Operation): Handler {
  return createHandlers({ publicUrl, eventRules: createEventRules(createEventMemory()) })(operationId);
}

/** Lists the alternative and additional rights that a body may need. */
async function withoutBody({ parts, resolved, request, operation }: Asked): Promise<Explanation> {
  const resource = ownResource(parts, operation, request);
  const ask = (action: string) => evaluate(parts, resolved, { action, resource });
  const alternatives = await Promise.all(alternativeActions(operation).map(ask));
  const extra = EXTRA_ACTIONS.filter(({ name, resources }) => mayBeAskedBesides(operation.action, name) && resources.includes(resource.type));
  const besides = await Promise.all(extra.map(({ name }) => ask(name)));
  const asks = alternatives.filter(({ decision }) => decision === 'allow').slice(0, 1);
  const further = [...alternatives, ...besides].filter((ask) => !asks.includes(ask));
  const notes = further.length === 0 ? [] : ['The body decides which of these rights are needed: give it with --body FILE, or --body - for standard input.'];
  const detail = further.length === 0 ? undefined : 'One of the things that this request can be is permitted; its body says which it is.';
  return conclude(parts, resolved, { decision: 'allow', reason: 'policy-permits', detail, request, asks, further, dependsOnBody: further.length > 0, notes });
}

/** `deployments.run` with parameters also needs `deployments.run.parameters`. The handlers decide exactly when. */
export function mayBeAskedBesides(own: string, extra: string): boolean {
  return (
    extra.startsWith(`${own}.`) ||
    (own === 'flow_runs.set_state' && extra === 'flow_runs.force') ||
    (own === 'flow_runs.create' && extra === 'deployments.run.override') ||
    // Schedules carry parameters.
    ((own === 'deployments.write' || own === 'deployments.schedule.write') && extra === 'deployments.run.parameters')
  );
}

async function withBody({ parts, resolved, request, operation }: Asked, handler: Handler, body: Buffer): Promise<Explanation> {
  const inputs = inputsOf(request);
  const headers = { 'content-type': 'application/json' };
  const { catalogue, policy } = parts;
  const opened = openCall({ catalogue, operation, handler, readsParameters: policy.readsParameters }, { inputs, headers, body });
  if (!opened.ok) return conclude(parts, resolved, { decision: 'deny', reason: opened.refusal.code, detail: opened.refusal.detail, request });
  const notes: string[] = [];
  const lookup = tolerant(parts.lookup, notes);
  const planned = await handler.plan(opened.call, lookup);
  if (!planned.ok) return conclude(parts, resolved, { decision: 'deny', reason: planned.refusal.code, detail: planned.refusal.detail, request, notes });
  const guardedTags = parts.guardedTags ?? (async () => new Set<string>());
  const asking = await withTagAsks(opened.call, planned.plan, resolved.principal, { guardedTags, lookup });
  const { plan, authorization: answer } = await decidePlan(deciderFor(parts, resolved), opened.call, asking);
  const refusal = refusalFor(plan, answer, opened.call.operation);
  const allowed = answer.ok && refusal === undefined;
  const reason = refusal?.code ?? (answer.ok ? 'policy-permits' : answer.reason);
  const asks = explainAsks(parts, answer, plan.asks);
  return conclude(parts, resolved, { decision: allowed ? 'allow' : 'deny', reason, detail: refusal?.detail, request, asks, notes });
}

/** Without an answer of Prefect, Lictor gives the strictest answer and adds a note. */
function tolerant(lookup: Lookup, notes: string[]): Lookup {
  return async (path, filter) => {
    try {
      return await lookup(path, filter);
    } catch (error) {
      const why = error instanceof UpstreamError ? error.message : 'it gave no readable answer';
      notes.push(`Prefect could not be asked for ${path} (${why}): what the body sets is taken as an override of it.`);
      return null;
    }
  };
}

function ownResource({ catalogue }: ExplainerParts, operation: Operation, { path }: ExplainedRequest): Located {
  return locateResource(operation, catalogue.params(operation, path) ?? {});
}

function locate({ catalogue, publicUrl }: ExplainerParts, line: string): { readonly request: ExplainedRequest; readonly operation: Operation | undefined } {
  const { method, path, query } = readLine(publicUrl, line);
  if (`${path}/`.startsWith(OWN_PREFIX)) throw usage(`${path} is a page of the gateway itself: it authenticates by itself, and no policy is asked.`);
  if (method === 'OPTIONS') throw usage('The gateway itself answers OPTIONS (204), for every client.');
  const operation = isCanonical(path) ? catalogue.match(method, path)?.operation : undefined;
  const { operationId = null, path: route = null, taken = null } = operation ?? {};
  return { request: { method, path, query, operation: operationId, route, path_taken: taken }, operation };
}

/** Suggests a similar request. */
function nearby({ catalogue }: ExplainerParts, { method, path }: ExplainedRequest): readonly string[] {
  const meant = catalogue.match(method, `/api${path}`)?.operation;
  if (meant !== undefined) return [`Did you mean ${method} /api${path}?`];
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((other) => catalogue.match(other, path)?.operation.taken !== undefined);
  return methods.length === 0 ? [] : [`This path is known with ${methods.join(', ')}.`];
}

function usage(message: string): LictorError {
  return new LictorError('usage', message);
}
