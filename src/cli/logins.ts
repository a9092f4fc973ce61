// Logins of the command line, for an administrator: which there are, and ending one.

import type { Config } from '../config/config.ts';
import { idpOfAccount } from '../identity/authn/accounts/principal.ts';
import { grantEndsMs } from '../identity/authn/grant/standing.ts';
import { sessionEndsMs } from '../identity/authn/session/session.ts';
import type { ClientGrant } from '../store/client-grants.ts';
import type { Store } from '../store/store.ts';
import { type AdminSession, makeItHold, recordAfter } from './admin.ts';
import type { CliContext } from './context.ts';
import { renderTable } from './table.ts';
import { printable } from './text.ts';

export async function listLogins(context: CliContext, { store, config }: AdminSession, json: boolean): Promise<void> {
  const logins = (await withEnds(store, config)).map((login) => loginJson(login, config));
  if (json) context.out.write(`${JSON.stringify(logins)}\n`);
  else if (logins.length === 0) context.out.write('No live logins of the command line.\n');
  else {
    const rows = logins.map(({ id, principal, client, scopes, last_used_at: last, expires_at: end }) => [
      ...[id, printable(principal), printable(client), scopes.join(','), minute(last), minute(end)],
    ]);
    context.out.write(renderTable([['ID', 'PRINCIPAL', 'CLIENT', 'CLIENT SCOPES', 'LAST TOKEN (UTC)', 'UNTIL (UTC)'], ...rows], context));
  }
}

/** By the id that the list and `grant_id` of records show. False: there is no such login. */
export async function endLogin(context: CliContext, session: AdminSession, id: string): Promise<boolean> {
  if (!(await session.store.clientGrants.end(id))) return false;
  try {
    await makeItHold(context, session);
  } finally {
    recordAfter(context, session, { action: 'token.revoke', resourceType: 'Login', resourceId: id });
  }
  context.out.write(`The login ${id} has ended.\n`);
  return true;
}

interface Login {
  readonly grant: ClientGrant;
  readonly endsMs: number;
}

/**
 * With their ends by the limits of lictor.yaml. One in the past is shown: a gateway that was not reloaded still goes by the former limits, and limits may be
 * made longer again. What stood on a session that is gone is left out: it ended with that. Whether a provider still knows the person is not asked.
 */
async function withEnds(store: Pick<Store, 'clientGrants' | 'sessions'>, { cliSeconds, sessions: limits }: Config): Promise<readonly Login[]> {
  const logins = (await store.clientGrants.live()).map(async (grant): Promise<readonly Login[]> => {
    const ownEndMs = grantEndsMs(grant, { lifeMs: cliSeconds * 1000 });
    if (grant.sessionId === null) return [{ grant, endsMs: ownEndMs }];
    const session = await store.sessions.byId(grant.sessionId);
    return session === undefined ? [] : [{ grant, endsMs: Math.min(ownEndMs, sessionEndsMs(session, limits)) }];
  });
  return (await Promise.all(logins)).flat();
}

function loginJson({ grant: { id, owner, clientId, scopes, createdMs, seenMs }, endsMs }: Login, config: Pick<Config, 'identityProviders'>) {
  const principal =
    owner.kind === 'identity' ? `${owner.identity.name}@${owner.identity.idp}` : `${owner.account.name}@${idpOfAccount(owner.account, config) ?? 'local'}`;
  return { id, principal, client: clientId, scopes, created_at: iso(createdMs), last_used_at: iso(seenMs), expires_at: iso(endsMs) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function minute(time: string): string {
  return time.slice(0, 16).replace('T', ' ');
}
