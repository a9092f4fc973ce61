// Lists and ends the logins of clients (the command line, OAuth clients), for an administrator.
import { minuteOf } from '../contract/time-text.ts';
import { clientLogins } from '../identity/manage/client-logins.ts';
import { type AdminSession, completeRemoval } from './admin.ts';
import type { CliContext } from './context.ts';
import { renderTable } from './table.ts';
import { printable } from './text.ts';

export async function listLogins(context: CliContext, { store, config }: AdminSession, json: boolean): Promise<void> {
  const logins = await clientLogins(store, config);
  if (json) context.out.write(`${JSON.stringify(logins)}\n`);
  else if (logins.length === 0) context.out.write('No live logins.\n');
  else {
    const rows = logins.map(({ id, principal, client, audience, scopes, last_used_at: last, expires_at: end }) => [
      ...[id, printable(principal), printable(client), audience, scopes.join(','), minuteOf(last), minuteOf(end)],
    ]);
    context.out.write(renderTable([['ID', 'PRINCIPAL', 'CLIENT', 'FOR', 'CLIENT SCOPES', 'LAST TOKEN (UTC)', 'UNTIL (UTC)'], ...rows], context));
  }
}

/** `id`: from the list, or from `grant_id` of a record. False: there is no such login. */
export async function endLogin(context: CliContext, session: AdminSession, id: string): Promise<boolean> {
  if (!(await session.store.clientGrants.end(id))) return false;
  await completeRemoval(context, session, { action: 'token.revoke', resourceType: 'Login', resourceId: id });
  context.out.write(`The login ${id} has ended.\n`);
  return true;
}
