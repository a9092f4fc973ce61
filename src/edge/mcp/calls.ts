// What a tool asks: each request to Prefect goes through the mediator, so it meets the same decisions, conditions and records as any client's.

import { approvalUrl } from '../../authorization/approvals/approval-url.ts';
import type { Authorization, Decider } from '../../authorization/decide/decider.ts';
import type { Mediator } from '../../authorization/mediate/mediator.ts';
import type { PublicUrl } from '../../config/config.ts';
import { LictorError } from '../../contract/error.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { JsonValue } from '../../contract/json/tree.ts';
import type { ActionName, Operation } from '../../contract/operation.ts';
import type { Credential, Principal } from '../../contract/principal.ts';
import { REASONS } from '../../contract/reasons.ts';
import { alternativeActions } from '../../prefect/catalog/actions.ts';
import type { Catalogue } from '../../prefect/catalog/catalogue.ts';
import type { LedgerSearch } from '../../record/ledger/search/search.ts';
import type { Approvals } from '../../store/approvals.ts';
import { errorOf, refusalOf, ToolRefusal } from './refusal.ts';
import type { Explained, KnownApproval, ToolCall, ToolNeed } from './tool.ts';

export interface CallParts {
  readonly mediator: Mediator;
  readonly decider: Pick<Decider, 'authenticate' | 'authorize' | 'precheck'>;
  readonly catalogue: Catalogue;
  readonly clock: () => number;
  readonly ledgerSearch: Pick<LedgerSearch, 'page'>;
  readonly approvals: Pick<Approvals, 'byId'>;
  readonly publicUrl: PublicUrl;
}

export interface ToolRequester {
  readonly inputs: EdgeInputs;
  readonly principal: Principal;
  readonly credential: Credential;
  /** Of the request to the endpoint. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The headers of the client that its requests to Prefect have too. */
const PASSED = ['user-agent', 'traceparent', 'tracestate'];

export function openCall(parts: CallParts, requester: ToolRequester, tool: string, progress: { asked: boolean }): ToolCall {
  const { inputs, principal } = requester;
  const headers = Object.fromEntries(PASSED.flatMap((name) => (requester.headers[name] === undefined ? [] : [[name, requester.headers[name]]])));
  let asked = 0;
  return {
    principal,
    requestId: inputs.requestId,
    nowMs: parts.clock(),
    async ask(operationId, { params = {}, query = '', body } = {}) {
      const operation = known(parts.catalogue, operationId);
      progress.asked = true;
      asked += 1;
      // A record is found by its request id, so each request needs its own.
      const requestId = asked === 1 ? inputs.requestId : `${inputs.requestId}-${asked}`;
      const response = await parts.mediator.handle({
        inputs: { ...inputs, requestId, ...routeOf(operation, params), args: query },
        headers: { ...headers, accept: 'application/json', ...(body !== undefined && { 'content-type': 'application/json' }) },
        body: body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body)),
        tool,
        serves: inputs,
      });
      const refusal = refusalOf(response, requestId);
      if (refusal !== undefined) throw new ToolRefusal(refusal);
      return response.body.length === 0 ? null : (JSON.parse(response.body.toString('utf8')) as JsonValue);
    },
    explain: (action, id) => explain(parts, inputs, { action, id }),
    recordsOf: (flowRun, last) => recordsOf(parts, requester, { flowRun, last }),
    approvalOf: (id) => approvalOf(parts, requester, id),
  };
}

/** True if a policy may permit the action of the tool on some object. A scope that the client lacks does not count: it can request the scope. */
export async function mayUse({ decider, catalogue }: CallParts, inputs: EdgeInputs, need: ToolNeed | null): Promise<boolean> {
  if (need === null) return true;
  const authorization = await precheck({ decider, catalogue }, inputs, need);
  return authorization.decisions.some(({ action, enforced, reason }) => action === need.action && (enforced === 'allow' || reason === 'scope-missing'));
}

export function precheck({ decider, catalogue }: Pick<CallParts, 'decider' | 'catalogue'>, inputs: EdgeInputs, need: ToolNeed): Promise<Authorization> {
  const { operationId, method } = known(catalogue, need.operation);
  return decider.precheck({ ...inputs, operation: operationId, method, path: '', args: '' });
}

/** Throws LictorError `usage` for an action that no route has. */
async function explain(
  { decider, catalogue }: CallParts,
  inputs: EdgeInputs,
  { action, id }: { readonly action: ActionName; readonly id: string | null },
): Promise<Explained> {
  const operation = catalogue.operations.find((each) => alternativeActions(each).includes(action));
  if (operation === undefined) throw new LictorError('usage', `There is no action ${JSON.stringify(action)}.`);
  const resource = { type: operation.resource, id };
  const asked = { ...inputs, operation: operation.operationId, method: operation.method, path: '', args: '' };
  const authorization = await decider.authorize(asked, [{ action, resource, ...(id !== null && { inPath: { screened: false } }) }]);
  const reason = authorization.ok ? 'policy-permits' : authorization.reason;
  return {
    allowed: authorization.ok,
    reason,
    detail: (authorization.ok ? undefined : authorization.detail) ?? REASONS[reason].detail,
    hint: REASONS[reason].hint,
    policies: [...new Set(authorization.decisions.flatMap(({ policies }) => policies))],
  };
}

async function recordsOf({ ledgerSearch }: CallParts, { inputs, principal }: ToolRequester, filter: { readonly flowRun: string; readonly last: number }) {
  try {
    const { records } = await ledgerSearch.page({ filter }, { principal: principal.id });
    return records.map(({ time, principal, on_behalf_of, action, decision, reason, status, tool, approval_id }) => ({
      ...{ time, principal, on_behalf_of, action, decision, reason, status, tool, approval_id },
    }));
  } catch (error) {
    if (error instanceof LictorError) throw new ToolRefusal(errorOf({ code: 'gateway-unavailable', detail: error.message }, inputs.requestId));
    throw error;
  }
}

/** The principal, or the login of the client that acts for it, has sent the request (src/authorization/approvals/requester.ts). */
async function approvalOf({ approvals, publicUrl }: CallParts, { principal, credential }: ToolRequester, id: string): Promise<KnownApproval | undefined> {
  const approval = await approvals.byId(id);
  if (approval === undefined || ![principal.id, credential.id].includes(approval.requestedBy)) return undefined;
  return { ...approval, url: approvalUrl(publicUrl, id) };
}

function known(catalogue: Catalogue, operationId: string): Operation {
  const operation = catalogue.byId(operationId);
  if (operation === undefined) throw new LictorError('catalogue-invalid', `a tool names ${operationId}, which the catalogue does not have`);
  return operation;
}

function routeOf({ operationId, method, path }: Operation, params: Readonly<Record<string, string>>) {
  const filled = path.replaceAll(/\{([^}]+)\}/g, (_whole, name: string) => encodeURIComponent(params[name] ?? ''));
  return { operation: operationId, method, path: filled };
}
