// `agent:copilot` -> the agent as a principal, with the present rights of its sponsor. Also a service token or a workload that is an agent.
import type { Agent } from '../../config/config.ts';
import { agentName } from '../../contract/principal.ts';
import { type ActingAgent, createAgents, sponsorId } from '../../identity/authn/agent/agents.ts';
import { agentOrigins } from '../../identity/authn/role-origins.ts';
import type { PrincipalParts, PrincipalStore, ResolvedPrincipal } from './principal.ts';

/** Without the state of its credential. */
export async function namedAgent(agent: Agent, store: PrincipalStore, parts: PrincipalParts): Promise<ResolvedPrincipal> {
  const acting = await createAgents({ store, config: parts.config, clock: () => parts.nowMs }).stand(agent);
  return resolved(acting, parts, { refusedAs: null, notes: [] });
}

/** The principal itself, or the agent that it is. */
export async function actingFor(found: ResolvedPrincipal, store: PrincipalStore, parts: PrincipalParts): Promise<ResolvedPrincipal> {
  const acting = await createAgents({ store, config: parts.config, clock: () => parts.nowMs }).ofPrincipal(found.principal);
  return acting === undefined ? found : resolved(acting, parts, found);
}

function resolved(acting: ActingAgent, { config }: PrincipalParts, { refusedAs, notes }: Pick<ResolvedPrincipal, 'refusedAs' | 'notes'>): ResolvedPrincipal {
  const { principal } = acting;
  const agent = config.agents.find(({ name }) => name === agentName(principal.id));
  return {
    principal,
    hypothetical: false,
    roles: agent === undefined ? [] : agentOrigins(agent.name, config.agents),
    refusedAs: refusedAs ?? (acting.ok ? null : acting.reason),
    notes: [...(agent === undefined ? [] : [noteOf(agent)]), ...(acting.ok ? [] : [`It is refused: ${acting.why}.`]), ...notes],
  };
}

function noteOf(agent: Agent): string {
  return `It acts for its sponsor ${sponsorId(agent)}, and has only the rights that this person has too. Its credential: ${credentialText(agent)}.`;
}

/** As lictor.yaml writes it. */
export function credentialText({ credential }: Pick<Agent, 'credential'>): string {
  if (credential.kind === 'token') return 'token';
  return credential.kind === 'client' ? `client:${credential.id}` : `claim:${credential.key}=${credential.pattern}@${credential.idp}`;
}
