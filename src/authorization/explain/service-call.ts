// `explain --request 'GET /.lictor/svc/billing/v1/x'`: the decision on a call of a service.

import { nearestName } from '../../config/suggest.ts';
import { LictorError } from '../../contract/error.ts';
import { SERVICES_PREFIX, type ServiceCall, serviceOperation } from '../../contract/service-call.ts';
import { routeOf } from '../../prefect/catalog/service-routes.ts';
import { UpstreamError } from '../../prefect/client/upstream-error.ts';
import { callFacts, createServiceCalls } from '../decide/service-calls.ts';
import { isCanonical } from './canonical.ts';
import { conclude, type ExplainerParts, entitiesOf, explainDecision, inputsOf, tokenOf } from './explainer.ts';
import type { ExplainedRequest, Explanation } from './explanation.ts';
import type { ResolvedPrincipal } from './principal.ts';
import { readLine } from './request-line.ts';

export interface LocatedCall {
  readonly request: ExplainedRequest;
  readonly call: ServiceCall;
  /** Why Lictor refuses a WebSocket for every principal. Undefined: no WebSocket, or Lictor decides it like a call. */
  readonly noSocket?: 'service-upgrade' | 'socket-handshake';
}

/** Undefined: it is no call of a service. Throws LictorError `usage` for an unknown service. */
export function locateCall({ publicUrl, services }: ExplainerParts, line: string): LocatedCall | undefined {
  const { method, path, query, socket } = readLine(publicUrl, line);
  const [, name, below] = new RegExp(`^${SERVICES_PREFIX.replaceAll('.', '\\.')}([a-z0-9-]+)(/.*)$`).exec(path) ?? [];
  if (name === undefined || below === undefined) return undefined;
  const service = services.find((known) => known.name === name);
  if (service === undefined)
    throw unknownService(
      name,
      services.map((known) => known.name),
    );
  const call = { service: name, method, route: routeOf(service, method, below)?.pattern ?? '' };
  const request = { method, path, query, operation: serviceOperation(call), route: call.route === '' ? null : call.route, path_taken: 'egress' } as const;
  if (!socket || (service.sockets && method === 'GET')) return { call, request };
  return { call, request, noSocket: service.sockets ? 'socket-handshake' : 'service-upgrade' };
}

/** A person calls with a token, never with a session. */
export async function explainCall(parts: ExplainerParts, resolved: ResolvedPrincipal, { request, call, noSocket }: LocatedCall): Promise<Explanation> {
  const refuse = (reason: Explanation['reason'], notes: readonly string[] = []) => conclude(parts, resolved, { decision: 'deny', reason, request, notes });
  if (!isCanonical(request.path)) return refuse('path-not-canonical');
  if (noSocket !== undefined) return refuse(noSocket);
  const calls = createServiceCalls({ ...parts, authenticator: tokenOf(resolved), entities: entitiesOf(parts), changeNumber: async () => 0 });
  try {
    const answer = await calls.authorize(inputsOf(request), call);
    const [run = null] = answer.entities ?? [];
    const asks = answer.decisions.map((decision) => explainDecision(parts, decision, { facts: callFacts(call), entity: run }));
    return conclude(parts, resolved, { decision: answer.ok ? 'allow' : 'deny', reason: answer.ok ? 'policy-permits' : answer.reason, request, asks });
  } catch (error) {
    if (error instanceof UpstreamError)
      return refuse(error.reason, ['Prefect cannot be asked about the run that calls, so it would be answered with 503 now.']);
    throw error;
  }
}

function unknownService(name: string, names: readonly string[]): LictorError {
  const near = nearestName(name, names);
  const known = names.length === 0 ? 'lictor.yaml has none.' : `Services: ${names.join(', ')}.`;
  return new LictorError('usage', `There is no service ${name}.${near === undefined ? '' : ` Did you mean ${near}?`} ${known}`);
}
