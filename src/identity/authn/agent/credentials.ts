// Which agent of lictor.yaml a credential belongs to.
import type { Agent } from '../../../config/config.ts';
import type { Identity } from '../../../contract/identity.ts';
import type { Principal } from '../../../contract/principal.ts';
import { fits } from '../roles.ts';

export interface AgentCredentials {
  /** By the name of a service token. */
  ofToken(name: string): Agent | undefined;
  /** By an OAuth client. */
  ofClient(clientId: string): Agent | undefined;
  /** By the claims of a workload. Patterns may overlap: more than one agent means none. */
  ofIdentity(identity: Pick<Identity, 'idp' | 'claims'>): readonly Agent[];
  /** Of a service token or a workload. */
  ofPrincipal(principal: Pick<Principal, 'id' | 'idp' | 'attributes'>): readonly Agent[];
}

export function createAgentCredentials(agents: readonly Agent[]): AgentCredentials {
  const single: Omit<AgentCredentials, 'ofPrincipal'> = {
    ofToken: (name) => agents.find((agent) => agent.credential.kind === 'token' && agent.name === name),
    ofClient: (clientId) => agents.find(({ credential }) => credential.kind === 'client' && credential.id === clientId),
    ofIdentity: ({ idp, claims }) => agents.filter(({ credential }) => credential.kind === 'claim' && credential.idp === idp && fits(credential, claims)),
  };
  return {
    ...single,
    ofPrincipal({ id, idp, attributes: claims }) {
      if (idp !== null) return single.ofIdentity({ idp, claims });
      const agent = id.startsWith(TOKEN) ? single.ofToken(id.slice(TOKEN.length)) : undefined;
      return agent === undefined ? [] : [agent];
    },
  };
}

const TOKEN = 'token:';
