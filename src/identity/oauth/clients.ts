// The OAuth clients: Lictor's own, those of lictor.yaml, and those that describe themselves. All are public: they have no secret, and a person allows each login in the browser.

import type { Config, OAuthClientEntry } from '../../config/config.ts';
import type { SteadyClock } from '../../contract/clock.ts';
import { agentId } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { sponsorId } from '../authn/agent/agents.ts';
import { createAgentCredentials } from '../authn/agent/credentials.ts';
import { createClientDocuments, type DocumentNetwork } from './client-documents.ts';

export interface OAuthClient {
  readonly id: string;
  /** Shown to the person. */
  readonly name: string;
  /** Where it gets authorization codes. Empty: it only uses the device flow. */
  readonly redirectUris: readonly string[];
  /** The host that publishes its metadata document; null: Lictor or lictor.yaml has the client. */
  readonly host: string | null;
  /** The agent that it is (`agent:copilot`). Left out: it acts as the person. */
  readonly agent?: string;
}

export const CLI_CLIENT: OAuthClient = { id: 'lictor-cli', name: 'Lictor command line', redirectUris: [], host: null };

/** Of the device flow. */
export const DEVICE_CLIENTS: readonly OAuthClient[] = [CLI_CLIENT];

export type FoundClient = { readonly ok: true; readonly client: OAuthClient } | { readonly ok: false; readonly reason: ReasonCode; readonly detail?: string };

export interface Clients {
  /** Its logins are valid. Reads no document. */
  accepts(id: string): boolean;
  /** For a new login that `principalId` is to allow. */
  find(id: string, principalId: string): Promise<FoundClient>;
}

export interface ClientParts {
  readonly config: Pick<Config, 'oauthClients' | 'oauthClientHosts' | 'agents'>;
  readonly network: DocumentNetwork;
  readonly steady: SteadyClock;
}

export function createClients({ config, network, steady }: ClientParts): Clients {
  const { oauthClients, oauthClientHosts: hosts, agents } = config;
  const ids = new Set(agents.flatMap(({ credential }) => (credential.kind === 'client' ? [credential.id] : [])));
  const credentials = createAgentCredentials(agents);
  const documents = createClientDocuments({ hosts, ids, network, steady });
  const known = new Map([CLI_CLIENT, ...oauthClients.map(configured)].map((client) => [client.id, client]));
  const describe = async (id: string, principalId: string): Promise<FoundClient> => {
    const client = known.get(id);
    if (client !== undefined) return { ok: true, client };
    return id.startsWith('https:') ? await documents.find(id, principalId) : { ok: false, reason: 'client-unknown' };
  };
  return {
    accepts: (id) => known.has(id) || documents.accepts(id),
    async find(id, principalId) {
      const agent = credentials.ofClient(id);
      if (agent !== undefined && sponsorId(agent) !== principalId) return { ok: false, reason: 'agent-not-sponsor' };
      const found = await describe(id, principalId);
      return found.ok && agent !== undefined ? { ok: true, client: { ...found.client, agent: agentId(agent.name) } } : found;
    },
  };
}

function configured({ id, name, redirectUris }: OAuthClientEntry): OAuthClient {
  return { id, name, redirectUris, host: null };
}
