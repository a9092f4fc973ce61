// Lists and ends the logins of clients (the command line, OAuth clients), for an administrator.

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
  else if (logins.length === 0) context.out.write('No live logins.\n');
  else {
    const rows = logins.map(({ id, principal, client, audience, scopes, last_used_at: last, expires_at: end }) => [
      ...[id, printable(principal), printable(client), audience, scopes.join(','), minute(last), minute(end)],
    ]);
    context.out.write(renderTable([['ID', 'PRINCIPAL', 'CLIENT', 'FOR', 'CLIENT SCOPES', 'LAST TOKEN (UTC)', 'UNTIL (UTC)'], ...rows], context));
  }
}

/** `id`: from the list, or from `grant_id` of a record. False: there is no such login. */
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
 * Adds the end of each login by the limits of lictor.yaml. An end in the past stays in the list: a gateway without a reload uses the former limits,
 * and the limits may become longer again. A login whose session is gone is omitted, because it ended with the session. This does not ask
 * whether a provider still knows the person.
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

function loginJson({ grant: { id, owner, clientId, audience, scopes, createdMs, seenMs }, endsMs }: Login, config: Pick<Config, 'identityProviders'>) {
  const principal =
    owner.kind === 'identity' ? `${owner.identity.name}@${owner.identity.idp}` : `${owner.account.name}@${idpOfAccount(owner.account, config) ?? 'local'}`;
  return { id, principal, client: clientId, audience, scopes, created_at: iso(createdMs), last_used_at: iso(seenMs), expires_at: iso(endsMs) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function minute(time: string): string {
  return time.slice(0, 16).replace('T', ' ');
}
