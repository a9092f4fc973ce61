// Decides whether a principal may connect to an external host. src/proxies/forward then checks the address of the host.

import type { Decision } from '../../contract/decision.ts';
import { CONNECT_ACTION, type Destination, isListed } from '../../contract/destination.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { type Authorization, unproven } from './authorization.ts';
import { settled } from './decider.ts';
import { decideEgress, type EgressParts, runOf } from './egress.ts';

export interface HostConnects {
  /** Throws UpstreamError when Prefect does not answer about the run. */
  authorize(inputs: EdgeInputs, destination: Destination): Promise<Authorization>;
}

interface HostConnectsParts extends EgressParts {
  /** Patterns as `readPattern` gives them; null: there is no forward proxy. */
  readonly allow: readonly string[] | null;
}

export function createHostConnects(parts: HostConnectsParts): HostConnects {
  return { authorize: (inputs, destination) => settled(parts, () => decideConnect(parts, inputs, destination)) };
}

/** Authenticates first, so that every refusal is recorded under the run. */
async function decideConnect(parts: HostConnectsParts, inputs: EdgeInputs, destination: Destination): Promise<Authorization> {
  const who = await parts.authenticator.authenticate(inputs);
  if (!who.ok) return unproven(who);
  const { principal, credential } = who;
  const refuse = (reason: ReasonCode, decisions: readonly Decision[] = []): Authorization => ({
    ...{ ok: false, reason, principal, credential, credentialId: credential.id, decisions },
  });
  if (credential.carrier !== 'authorization') return refuse('session-not-accepted');
  if (destination.problem !== null) return refuse(destination.problem);
  if (parts.allow === null || !isListed(parts.allow, destination.host)) return refuse('host-unlisted');
  const run = await runOf(parts.entities, principal);
  const { host, port } = destination;
  const context = { address: inputs.address, carrier: credential.carrier, facts: { host, port } };
  const decision = decideEgress(parts, { principal, run, action: CONNECT_ACTION, resource: { type: 'Host', id: host }, context }, credential);
  if (decision.enforced !== 'allow') return refuse(decision.reason, [decision]);
  return { ok: true, principal, credential, decisions: [decision], restrictions: [], entities: [run] };
}
