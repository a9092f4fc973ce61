// The OAuth clients. All are public: they have no secret, and a person allows each login in the browser.

import type { Config, OAuthClientEntry } from '../../config/config.ts';
import type { ReasonCode } from '../../contract/reasons.ts';

export interface OAuthClient {
  readonly id: string;
  /** Shown to the person. */
  readonly name: string;
  /** Where it gets authorization codes. Empty: it only uses the device flow. */
  readonly redirectUris: readonly string[];
  /** The host that publishes its metadata document; null: Lictor or lictor.yaml has the client. */
  readonly host: string | null;
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

export function createClients({ oauthClients }: Pick<Config, 'oauthClients'>): Clients {
  const known = new Map([CLI_CLIENT, ...oauthClients.map(configured)].map((client) => [client.id, client]));
  return {
    accepts: (id) => known.has(id),
    async find(id) {
      const client = known.get(id);
      return client === undefined ? { ok: false, reason: 'client-unknown' } : { ok: true, client };
    },
  };
}

function configured({ id, name, redirectUris }: OAuthClientEntry): OAuthClient {
  return { id, name, redirectUris, host: null };
}
