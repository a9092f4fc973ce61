// Agents as principals: their own roles, bounded by the rights of their sponsor.
import type { Agent, Config } from '../../../config/config.ts';
import { agentId, type Principal } from '../../../contract/principal.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import { roleNames } from '../../../contract/scope.ts';
import { distinctGrants } from '../roles.ts';
import { createAgentCredentials } from './credentials.ts';
import { createFindSponsor, type SponsorParts } from './sponsor.ts';

export type ActingAgent =
  | {
      readonly ok: true;
      readonly principal: Principal;
      /** When the sponsor must be checked again; null: the standing does not end by itself. */
      readonly untilMs: number | null;
    }
  | {
      readonly ok: false;
      readonly reason: ReasonCode;
      /** Without rights, for records. */
      readonly principal: Principal;
      readonly untilMs: null;
      readonly why: string;
    };

export interface Agents {
  /** The agent that this service token or workload is; undefined: it is none. */
  ofPrincipal(principal: Principal): Promise<ActingAgent | undefined>;
  /** With the present rights of its sponsor. */
  stand(agent: Agent): Promise<ActingAgent>;
}

export interface AgentParts extends SponsorParts {
  readonly config: SponsorParts['config'] & Pick<Config, 'agents'>;
}

export function createAgents(parts: AgentParts): Agents {
  const credentials = createAgentCredentials(parts.config.agents);
  const findSponsor = createFindSponsor(parts);
  const stand = async (agent: Agent): Promise<ActingAgent> => {
    const sponsor = await findSponsor(agent.sponsor);
    if (sponsor.ok) return { ok: true, principal: agentPrincipal(agent, sponsor.principal), untilMs: sponsor.untilMs };
    return { ok: false, reason: 'agent-sponsor-ended', principal: powerless(agent), untilMs: null, why: `${sponsorId(agent)} ${sponsor.why}` };
  };
  return {
    stand,
    async ofPrincipal(principal) {
      const [agent, ...more] = credentials.ofPrincipal(principal);
      if (agent === undefined) return undefined;
      if (more.length === 0) return stand(agent);
      const names = [agent, ...more].map(({ name }) => name).join(', ');
      return { ok: false, reason: 'agent-ambiguous', principal: { ...principal, roles: [], grants: [] }, untilMs: null, why: `its claims match ${names}` };
    },
  };
}

export function sponsorId({ sponsor }: Pick<Agent, 'sponsor'>): string {
  return `${sponsor.name}@${sponsor.idp}`;
}

/** `sponsor`: the person in good standing, who also bounds the rights. */
export function agentPrincipal(agent: Agent, sponsor: Principal): Principal {
  const grants = distinctGrants(agent.grants);
  return { ...powerless(agent), roles: roleNames(grants), grants, onBehalfOf: [sponsor.id], limitedBy: [sponsor] };
}

function powerless(agent: Agent): Principal {
  return { id: agentId(agent.name), kind: 'agent', idp: null, roles: [], grants: [], groups: [], attributes: {}, onBehalfOf: [sponsorId(agent)] };
}
