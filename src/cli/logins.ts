// Logins of the command line, for an administrator: which there are, and ending one.
import { idpOfAccount } from '../authn/accounts/principal.ts';
import { grantEndsMs } from '../authn/grant/standing.ts';
import { sessionEndsMs } from '../authn/session/session.ts';
import type { Config } from '../config/config.ts';
import { systemClock } from '../contract/clock.ts';
import type { ClientGrant } from '../store/client-grants.ts';
import type { Store } from '../store/store.ts';
import { type AdminSession, makeItHold, recordAfter, renderTable } from './admin.ts';
import type { CliContext } from './context.ts';
import { printable } from './text.ts';

export async function listLogins(context: CliContext, { store, config }: AdminSession, json: boolean): Promise<void> {
  const logins = (await standing(store, config)).map((login) => loginJson(login, config));
  if (json) context.out.write(`${JSON.stringify(logins)}\n`);
  else if (logins.length === 0) context.out.write('No live logins of the command line.\n');
  else {
    const rows = logins.map(({ id, principal, client, scopes, last_used_at: last, expires_at: end }) => [
      ...[id, printable(principal), printable(client), scopes.join(','), minute(last), minute(end)],
    ]);
    context.out.write(renderTable([['ID', 'PRINCIPAL', 'CLIENT', 'SCOPES', 'LAST TOKEN (UTC)', 'UNTIL (UTC)'], ...rows]));
  }
}

/** By the id that the list and `grant_id` of records show. False: there is no such login. */
export async function endLogin(context: CliContext, session: AdminSession, id: string): Promise<boolean> {
  if (!(await session.store.clientGrants.end(id))) return false;
  try {
    await makeItHold(session);
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

/** With their ends by the limits as they are now. Whether a provider still knows the person is not asked. */
async function standing(store: Pick<Store, 'clientGrants' | 'sessions'>, { cliSeconds, sessions: limits }: Config): Promise<readonly Login[]> {
  const nowMs = systemClock();
  const logins = await Promise.all(
    (await store.clientGrants.live()).map(async (grant) => {
      const session = grant.sessionId === null ? undefined : await store.sessions.byId(grant.sessionId);
      const standsUntilMs = session === undefined ? 0 : sessionEndsMs(session, limits);
      const ownEndMs = grantEndsMs(grant, { lifeMs: cliSeconds * 1000 });
      return { grant, endsMs: grant.sessionId === null ? ownEndMs : Math.min(ownEndMs, standsUntilMs) };
    }),
  );
  return logins.filter(({ endsMs }) => endsMs > nowMs);
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
