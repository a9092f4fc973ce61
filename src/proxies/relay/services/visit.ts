// One request for a socket of a service, from nginx: its credentials, its service, and the path below it.
import type { IncomingMessage } from 'node:http';
import { parseEdgeInputs } from '../../../authorization/decide/inputs.ts';
import type { Service } from '../../../config/service.ts';
import type { EdgeInputs } from '../../../contract/inputs.ts';
import { CLAIM } from '../../../contract/names.ts';
import type { BindingFacts } from '../../../contract/run-binding.ts';
import { parseServiceOperation, SERVICES_PREFIX, type ServiceCall } from '../../../contract/service-call.ts';
import { routeOf } from '../../../prefect/catalog/service-routes.ts';

export interface SocketVisit {
  readonly inputs: EdgeInputs;
  readonly service: string;
  /** Below the service, without the query, byte for byte. */
  readonly below: string;
  readonly headers: IncomingMessage['headers'];
  /** The client's claims, unchecked. */
  readonly claims: BindingFacts['claims'];
  readonly startedMs: number;
}

/** Undefined: the request is for no service. */
export function readVisit(request: IncomingMessage, nowMs: number): SocketVisit | undefined {
  const { headers } = request;
  const inputs = parseEdgeInputs(headers);
  const call = parseServiceOperation(inputs.operation);
  const root = `${SERVICES_PREFIX}${call?.service ?? ''}`;
  if (call === undefined || !inputs.path.startsWith(`${root}/`)) return undefined;
  const claims = { flowRun: headers[CLAIM.flowRun], deployment: headers[CLAIM.deployment] };
  return { inputs, service: call.service, below: inputs.path.slice(root.length), headers, claims, startedMs: nowMs };
}

/** The call to decide, by this configuration's routes: during a reload nginx's workers still have the former ones. */
export function callOf({ service: name, below }: SocketVisit, service: Service | undefined): ServiceCall {
  return { service: name, method: 'GET', route: (service && routeOf(service, 'GET', below)?.pattern) ?? '' };
}

/** Path and query at the service. */
export function targetOf({ below, inputs: { args } }: SocketVisit, { path }: Pick<Service, 'path'>): string {
  return `${path}${below}${args === '' ? '' : `?${args}`}`;
}
