// Decides whether a principal may call a service with this method on this route. A session, or a page of another origin, never may.

import type { Service } from '../../config/service.ts';
import type { Decision } from '../../contract/decision.ts';
import type { Entity } from '../../contract/entity.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { CALL_ACTION, routeId, type ServiceCall } from '../../contract/service-call.ts';
import { type Authorization, unproven } from './authorization.ts';
import { settled } from './decider.ts';
import { createWithDetail } from './denied-detail.ts';
import { decideEgress, type EgressParts, runOf } from './egress.ts';
import { isForeign } from './origin.ts';

export interface ServiceCalls {
  /** The only entity of the answer is the calling run, or null. Throws UpstreamError when Prefect does not answer about the run. */
  authorize(inputs: EdgeInputs, call: ServiceCall): Promise<Authorization>;
}

interface ServiceCallsParts extends EgressParts {
  readonly services: readonly Service[];
}

export function createServiceCalls(parts: ServiceCallsParts): ServiceCalls {
  const withDetail = createWithDetail(parts.policy);
  return { authorize: async (inputs, call) => withDetail(await settled(parts, () => decideCall(parts, inputs, call)), inputs) };
}

async function decideCall(parts: ServiceCallsParts, inputs: EdgeInputs, call: ServiceCall): Promise<Authorization> {
  const who = await parts.authenticator.authenticate(inputs);
  if (!who.ok) return unproven(who);
  const { principal, credential } = who;
  const refuse = (reason: ReasonCode, decisions: readonly Decision[] = [], run: Entity | null = null): Authorization => ({
    ...{ ok: false, reason, principal, credential, credentialId: credential.id, decisions },
    entities: decisions.map(() => run),
  });
  // A service's answer has the same origin as Prefect's UI, so a credential that browsers add themselves does not suffice.
  if (credential.carrier === 'session') return refuse('session-not-accepted');
  if (isForeign(credential, inputs)) return refuse('origin-foreign');
  // By the present configuration: around a reload nginx's workers still use the old one.
  const service = parts.services.find(({ name }) => name === call.service);
  if (service === undefined) return refuse('service-unknown');
  if (!isListed(service, call)) return refuse('service-route-unknown');
  const run = await runOf(parts.entities, principal);
  const context = { address: inputs.address, carrier: credential.carrier, facts: callFacts(call) };
  const resource = { type: 'ServiceRoute', id: routeId(call) } as const;
  const decision = decideEgress(parts, { principal, run, action: CALL_ACTION, resource, context }, credential);
  if (decision.enforced !== 'allow') return refuse(decision.reason, [decision], run);
  return { ok: true, principal, credential, decisions: [decision], restrictions: [], entities: [run] };
}

function isListed({ routes }: Service, { method, route }: ServiceCall): boolean {
  return routes.some(({ pattern, methods }) => pattern === route && methods.some((known) => known === method));
}

export function callFacts({ service, method, route }: ServiceCall): Readonly<Record<string, string>> {
  return { service, method, route };
}
