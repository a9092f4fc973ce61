// Which principal acts with a proven credential: the one that it proves, or the agent that it belongs to. And whether a lock stops it.
import type { Credential, Principal } from '../../../contract/principal.ts';
import { type LocksUnder, lockOnPrincipal } from '../locks.ts';
import type { ActingAgent, Agents } from './agents.ts';

export interface ActingParts extends LocksUnder {
  readonly agents: Pick<Agents, 'ofPrincipal'>;
}

export async function actingPrincipal({ agents, ...under }: ActingParts, proven: Principal, credential?: Credential): Promise<ActingAgent> {
  const acting: ActingAgent = (await agents.ofPrincipal(proven)) ?? { ok: true, principal: proven, untilMs: null };
  // A lock on the service token or the workload also holds on the agent that it proves.
  for (const who of new Set([proven, acting.principal])) {
    const lock = await lockOnPrincipal(under, who, credential);
    if (lock !== undefined) return { ok: false, reason: 'locked', principal: acting.principal, untilMs: null, why: 'there is a lock' };
  }
  return acting;
}
