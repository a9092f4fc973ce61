// `lictor account`: built-in accounts. Works on the store's file, also while the gateway or an identity provider is down.
import { randomInt, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import type { Command } from 'commander';
import { meantWords } from '../config/suggest.ts';
import { systemClock } from '../contract/clock.ts';
import { BREAK_GLASS } from '../contract/names.ts';
import { scopeText } from '../contract/scope.ts';
import { isoTime, minuteOf } from '../contract/time-text.ts';
import { createPasswords, LONGEST_PASSWORD, SHORTEST_PASSWORD } from '../identity/authn/accounts/password.ts';
import { accountsProvider, idpOfAccount } from '../identity/authn/accounts/principal.ts';
import { recordedGrants } from '../identity/authn/recorded-grants.ts';
import { accountHolder } from '../identity/authn/role-origins.ts';
import type { StoredAccount } from '../store/accounts.ts';
import { type AdminSession, collectRole, completeRemoval, makeItHold, recordFirst, scopeCell, withNewStore, withStore } from './admin.ts';
import type { CliContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { durationOf } from './option-values.ts';
import { collectScope, SCOPE_HELP, scopeOf } from './scope.ts';
import { renderTable, type Terminal } from './table.ts';

/** Lower case, so that no two accounts differ only in case. An e-mail address is a valid name. */
const NAME = /^[a-z0-9][a-z0-9._@+-]{0,127}$/;

const BREAK_GLASS_MS = 3_600_000;
const LONGEST_GLASS_MS = 86_400_000;

interface PasswordOptions {
  readonly passwordStdin?: boolean;
  readonly json?: boolean;
}

interface AddOptions extends PasswordOptions {
  readonly role: readonly string[];
  readonly scope?: readonly string[];
  readonly for?: number;
}

export function register(program: Command, context: CliContext, stdin: Readable = process.stdin): void {
  const account = program
    .command('account')
    .description('manage built-in accounts for people, with a password')
    .addHelpText('after', '\nExample:\n  lictor account add alice --role admin\n  lictor account list\n');
  account
    .command('add <name>')
    .description('create an account; prints a generated password unless you give one')
    .requiredOption('--role <role>', 'what the person may do; repeatable', collectRole)
    .option('--password-stdin', 'read the password from standard input')
    .option('--json', 'one object, with the generated password')
    .option(
      '--for <duration>',
      `break glass: the account ends by itself, and may log in whatever the configuration says (default without built-in accounts: 1h)`,
      parseFor,
    )
    .option('--scope <scope>', SCOPE_HELP, collectScope)
    .addHelpText(
      'after',
      '\nExample:\n  lictor account add alice --role admin\n  lictor account add emma --role admin --for 1h     # while the identity provider is away\n',
    )
    .action((name: string, options: AddOptions) => {
      checkName(name);
      return withNewStore(context, (session) => addAccount(context, session, { ...options, name, stdin }));
    });
  account
    .command('list')
    .description('list the accounts')
    .option('--json', 'one array of objects')
    .addHelpText('after', '\nExample:\n  lictor account list --json\n')
    .action((options: { json?: boolean }) =>
      withStore(context, async ({ store }) => listAccounts(context, await store.accounts.list(), options.json === true)),
    );
  account
    .command('passwd <name>')
    .description('set a new password and end every session of the account')
    .option('--password-stdin', 'read the password from standard input')
    .option('--json', 'one object, with the generated password')
    .addHelpText('after', '\nExample:\n  lictor account passwd alice\n')
    .action((name: string, options: PasswordOptions) => withStore(context, (session) => changePassword(context, session, { ...options, name, stdin })));
  account
    .command('confirm <name...>')
    .description('accept accounts of a restored backup again: confirm only those that were neither removed nor given another password since')
    .addHelpText('after', '\nExample:\n  lictor account confirm alice\n')
    .action((names: readonly string[]) => withStore(context, (session) => confirmAccounts(context, session, names)));
  account
    .command('remove <name>')
    .description('remove an account and end its sessions')
    .addHelpText('after', '\nExample:\n  lictor account remove alice\n')
    .action((name: string) => withStore(context, (session) => removeAccount(context, session, name)));
}

interface Target extends PasswordOptions {
  readonly name: string;
  readonly stdin: Readable;
}

async function addAccount(context: CliContext, session: AdminSession, options: Target & AddOptions): Promise<void> {
  const { name, role: roles } = options;
  const { store, config } = session;
  const scope = scopeOf(options);
  if ((await store.accounts.byName(name)) !== undefined) throw nameTaken(name);
  const password = await choosePassword(options);
  const hash = await createPasswords().hash(password.text);
  const livesMs = options.for ?? (accountsProvider(config) === null ? BREAK_GLASS_MS : null);
  const expiresMs = livesMs === null ? null : systemClock() + livesMs;
  const idp = idpOfAccount({ expiresMs }, config) ?? BREAK_GLASS;
  const grants = recordedGrants(accountHolder({ name, roles, scope }, idp), config.roles, { principal: `${name}@${idp}`, expiresMs });
  recordFirst(session, { action: expiresMs === null ? 'account.add' : 'account.break_glass', resourceType: 'Account', resourceId: name, grants });
  if (!(await store.accounts.create({ id: randomUUID(), name, roles, scope, password: hash, expiresMs }))) throw nameTaken(name);
  const until = expiresMs === null ? '' : ` It is break glass: it ends by itself at ${new Date(expiresMs).toISOString()}.`;
  printAccount(
    context,
    { name, roles, password, done: `Account ${name} (role ${roles.join(', ')}${scope === null ? '' : ` on ${scopeText(scope)}`}) is made.${until}`, expiresMs },
    options.json,
  );
}

async function changePassword(context: CliContext, session: AdminSession, options: Target): Promise<void> {
  const { name } = options;
  const account = await session.store.accounts.byName(name);
  if (account === undefined) throw await unknown(name, session);
  const password = await choosePassword(options);
  const hash = await createPasswords().hash(password.text);
  recordFirst(session, { action: 'account.passwd', resourceType: 'Account', resourceId: name });
  if (!(await session.store.accounts.setPassword(name, hash))) throw await unknown(name, session);
  try {
    await makeItHold(context, session);
  } finally {
    // The old password is gone, so the new one must be printed even after an error.
    const { roles, expiresMs } = account;
    printAccount(context, { name, roles, password, done: `Account ${name} has a new password; its sessions have ended.`, expiresMs }, options.json);
  }
}

async function confirmAccounts(context: CliContext, session: AdminSession, names: readonly string[]): Promise<void> {
  const { store, config } = session;
  const accounts: StoredAccount[] = [];
  for (const name of names) {
    const account = await store.accounts.byName(name);
    if (account === undefined) throw await unknown(name, session);
    accounts.push(account);
  }
  for (const { name, roles, scope, expiresMs, heldMs } of accounts) {
    const idp = idpOfAccount({ expiresMs }, config) ?? BREAK_GLASS;
    const grants = recordedGrants(accountHolder({ name, roles, scope }, idp), config.roles, { principal: `${name}@${idp}`, expiresMs });
    if (heldMs !== null) recordFirst(session, { action: 'account.confirm', resourceType: 'Account', resourceId: name, grants });
    context.out.write((await store.accounts.confirm(name)) ? `Account ${name} is confirmed.\n` : `Account ${name} needs no confirmation.\n`);
  }
}

async function removeAccount(context: CliContext, session: AdminSession, name: string): Promise<void> {
  if (!(await session.store.accounts.remove(name))) throw await unknown(name, session);
  await completeRemoval(context, session, { action: 'account.remove', resourceType: 'Account', resourceId: name });
  context.out.write(`Account ${name} is removed; its sessions have ended.\n`);
}

interface Password {
  readonly text: string;
  readonly generated: boolean;
}

interface Printed {
  readonly name: string;
  readonly roles: readonly string[];
  readonly password: Password;
  readonly done: string;
  readonly expiresMs: number | null;
}

/** A password from standard input is not printed. */
function printAccount({ out }: CliContext, { name, roles, password, done, expiresMs }: Printed, json: boolean | undefined): void {
  const shown = password.generated ? { password: password.text } : {};
  if (json === true) out.write(`${JSON.stringify({ name, role: roles.join(','), roles, ...shown, expires_at: isoTime(expiresMs) })}\n`);
  else out.write(`${done}\n${password.generated ? `Its password is shown now and never again:\n\n  ${password.text}\n` : ''}`);
}

function listAccounts(terminal: Terminal, accounts: readonly StoredAccount[], json: boolean): void {
  const { out } = terminal;
  const created = ({ createdMs }: StoredAccount): string => new Date(createdMs).toISOString();
  if (json) {
    const list = accounts.map((account) => ({
      name: account.name,
      role: account.roles.join(','),
      roles: account.roles,
      scope: account.scope === null ? null : scopeText(account.scope),
      created_at: created(account),
      expires_at: isoTime(account.expiresMs),
    }));
    out.write(`${JSON.stringify(list)}\n`);
    return;
  }
  const rows = accounts.map((account) => [
    account.name,
    account.roles.join(','),
    scopeCell(account.scope),
    created(account).slice(0, 10),
    account.expiresMs === null ? 'never' : minuteOf(account.expiresMs),
  ]);
  out.write(
    rows.length === 0
      ? 'No accounts. lictor account add NAME --role ROLE makes one.\n'
      : renderTable([['NAME', 'ROLE', 'ON', 'CREATED', 'ENDS (UTC)'], ...rows], terminal),
  );
}

function parseFor(text: string): number {
  const livesMs = durationOf('--for')(text);
  if (livesMs > LONGEST_GLASS_MS) throw new UsageError(`--for ${text}: at most 24h. An account that stays is made without --for.`);
  return livesMs;
}

/** Standard input without its last line break, or 98 random bits in unambiguous letters. */
async function choosePassword({ passwordStdin, stdin }: Target): Promise<Password> {
  if (passwordStdin !== true) return { text: generatePassword(), generated: true };
  const text = (await readAll(stdin)).replace(/\r?\n$/, '');
  if (/[\r\n]/.test(text)) throw new UsageError('The password on standard input has more than one line.');
  if (text.length < SHORTEST_PASSWORD || text.length > LONGEST_PASSWORD) {
    throw new UsageError(`A password has ${SHORTEST_PASSWORD} to ${LONGEST_PASSWORD} characters. Leave --password-stdin out to get a generated one.`);
  }
  return { text, generated: false };
}

const LETTERS = '23456789abcdefghjkmnpqrstvwxyz';

/** Four groups of five letters out of 30: 98 bits. */
function generatePassword(): string {
  const group = (): string => Array.from({ length: 5 }, () => LETTERS[randomInt(LETTERS.length)] ?? '').join('');
  return [group(), group(), group(), group()].join('-');
}

function checkName(name: string): void {
  if (NAME.test(name)) return;
  const lower = name.toLowerCase();
  const hint = NAME.test(lower) ? ` Names are lower case: ${lower}.` : ' Lower-case letters, digits and . _ @ + -, at most 128.';
  throw new UsageError(`${JSON.stringify(name)} is no name for an account.${hint}`);
}

async function unknown(name: string, { store }: AdminSession): Promise<CommandFailed> {
  const known = (await store.accounts.list()).map((account) => account.name);
  return new CommandFailed(`There is no account ${JSON.stringify(name)}.${meantWords(name, known)} lictor account list shows them.`);
}

function nameTaken(name: string): CommandFailed {
  return new CommandFailed(`There is an account ${name} already. lictor account passwd ${name} gives it a new password.`);
}
