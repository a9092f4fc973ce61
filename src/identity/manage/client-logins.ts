// The logins of clients (the command line, OAuth clients) that have not ended, as administrators see them.
import type { Config } from '../../config/config.ts';
import { isoTime } from '../../contract/time-text.ts';
import type { ClientGrant } from '../../store/client-grants.ts';
import type { SessionOwner } from '../../store/owners.ts';
import type { Store } from '../../store/store.ts';
import { grantEndsMs } from '../authn/grant/standing.ts';
import { ownerOfLogin } from '../authn/owner.ts';
import { sessionEndsMs } from '../authn/session/session.ts';

export interface ClientLogin {
  /** `grant_id` of its records. */
  readonly id: string;
  readonly principal: string;
  readonly client: string;
  readonly audience: string;
  readonly scopes: readonly string[];
  readonly created_at: string;
  /** When it last got a token. */
  readonly last_used_at: string;
  readonly expires_at: string;
}

type Limits = Pick<Config, 'cliSeconds' | 'sessions' | 'identityProviders'>;

/**
 * With the end of each by the limits of lictor.yaml. An end in the past stays in the list: a gateway without a reload uses the former limits,
 * and the limits may become longer again. A login whose session is gone is omitted, because it ended with the session. This does not ask
 * whether a provider still knows the person.
 */
export async function clientLogins(store: Pick<Store, 'clientGrants' | 'sessions'>, config: Limits): Promise<readonly ClientLogin[]> {
  const logins = (await store.clientGrants.live()).map(async (grant): Promise<readonly ClientLogin[]> => {
    const ownEndMs = grantEndsMs(grant, { lifeMs: config.cliSeconds * 1000 });
    if (grant.sessionId === null) return [loginOf(grant, ownEndMs, config)];
    const session = await store.sessions.byId(grant.sessionId);
    return session === undefined ? [] : [loginOf(grant, Math.min(ownEndMs, sessionEndsMs(session, config.sessions)), config)];
  });
  return (await Promise.all(logins)).flat();
}

/** `alice@local`. */
export function ownerId(owner: SessionOwner, config: Pick<Config, 'identityProviders'>): string {
  return ownerOfLogin(owner, config).id;
}

function loginOf({ id, owner, clientId, audience, scopes, createdMs, seenMs }: ClientGrant, endsMs: number, config: Limits): ClientLogin {
  const times = { created_at: isoTime(createdMs), last_used_at: isoTime(seenMs), expires_at: isoTime(endsMs) };
  return { id, principal: ownerId(owner, config), client: clientId, audience, scopes, ...times };
}
