// `lictor identity`: lists identities from identity providers, and deletes one whose name another person gets.
import type { Command } from 'commander';
import type { StoredIdentity } from '../store/identities.ts';
import { type AdminSession, completeRemoval, withStore } from './admin.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';
import { renderTable, type Terminal } from './table.ts';

export function register(program: Command, context: CliContext): void {
  const identity = program
    .command('identity')
    .description('manage users of identity providers')
    .addHelpText('after', '\nExample:\n  lictor identity list\n  lictor identity forget bob@corp\n');
  identity
    .command('list')
    .description('list users, with the claims of their last login')
    .option('--json', 'one array of objects')
    .addHelpText('after', '\nExample:\n  lictor identity list --json\n')
    .action((options: { json?: boolean }) =>
      withStore(context, async ({ store }) => listIdentities(context, await store.identities.list(), options.json === true)),
    );
  identity
    .command('forget <id>')
    .description('end every session of NAME@IDP, and free the name for another subject of the provider')
    .addHelpText('after', '\nExample:\n  lictor identity forget bob@corp\n')
    .action((id: string) => withStore(context, (session) => forgetIdentity(context, session, id)));
}

async function forgetIdentity(context: CliContext, session: AdminSession, id: string): Promise<void> {
  const at = id.lastIndexOf('@');
  if (!(await session.store.identities.forget(id.slice(at + 1), id.slice(0, Math.max(0, at))))) {
    throw new CommandFailed(`Nobody called ${JSON.stringify(id)} has come. lictor identity list shows who has; it is written NAME@IDP.`);
  }
  await completeRemoval(context, session, { action: 'identity.forget', resourceType: 'Identity', resourceId: id });
  context.out.write(`${id} was removed and its sessions ended. The next person who logs in with this name gets it.\n`);
}

function listIdentities(terminal: Terminal, identities: readonly StoredIdentity[], json: boolean): void {
  const { out } = terminal;
  const time = (ms: number): string => new Date(ms).toISOString();
  if (json) {
    const list = identities.map(({ idp, name, subject, kind, groups, createdMs, seenMs }) => ({
      id: `${name}@${idp}`,
      subject,
      kind,
      groups,
      created_at: time(createdMs),
      seen_at: time(seenMs),
    }));
    out.write(`${JSON.stringify(list)}\n`);
    return;
  }
  const rows = identities.map(({ idp, name, groups, subject, seenMs }) => [`${name}@${idp}`, subject, groups.join(','), time(seenMs).slice(0, 16)]);
  out.write(
    rows.length === 0 ? 'No user has logged in from an identity provider yet.\n' : renderTable([['NAME', 'SUBJECT', 'GROUPS', 'SEEN'], ...rows], terminal),
  );
}
