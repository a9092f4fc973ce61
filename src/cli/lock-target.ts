// What `lictor lock` and `unlock` are told: `alice@local`, `token:NAME`, `session:ID`, `idp:ID`, `address:NETWORK`.

import { meantWords } from '../config/suggest.ts';
import type { LockTarget } from '../contract/lock.ts';
import { BREAK_GLASS } from '../contract/names.ts';
import { accountsProvider } from '../identity/authn/accounts/principal.ts';
import { parseNetwork } from '../identity/authn/service-token/networks.ts';
import type { AdminSession } from './admin.ts';
import { CommandFailed, UsageError } from './errors.ts';

export const TARGET_HELP = 'alice@local, token:NAME, session:ID, idp:ID or address:NETWORK';

/** Throws UsageError for what is none of the forms. */
export function parseTarget(text: string): LockTarget {
  // With an `@` it is somebody's full name: people may call themselves `idp:x` at their provider, and must not be safe from a lock by it.
  const [, kind, value = ''] = /^(session|idp|address):([^@]*)$/.exec(text) ?? [];
  if (kind === 'address') return { kind, value: network(value) };
  if (kind === 'session' && /^[0-9a-f]{16,64}$/.test(value)) return { kind, value };
  if (kind === 'session') throw new UsageError('A session is named by the session_id of its records: lictor audit --json shows it.');
  if (kind === 'idp' && /^[A-Za-z0-9._-]+$/.test(value)) return { kind, value };
  // The name in a certificate or a JWT may have blanks in it.
  if (kind === undefined && /^(?:token:\S+|[^\s\p{Cc}](?:\P{Cc}*[^\s\p{Cc}])?@[^\s@]+)$/u.test(text)) return { kind: 'principal', value: text };
  throw new UsageError(`Write what the lock is on: ${TARGET_HELP}.`);
}

export interface CheckedTarget {
  /** On people of the built-in accounts, whatever their provider is called. */
  readonly ofAccounts: boolean;
  /** What cannot be known, or is more than was written, for the user to read. */
  readonly note: string | null;
}

const OTHERS: CheckedTarget = { ofAccounts: false, note: null };

/** A lock on nobody shuts nobody out: what can be known to be a slip is refused. */
export async function checkTarget({ kind, value }: LockTarget, session: AdminSession): Promise<CheckedTarget> {
  const { store, config } = session;
  if (kind === 'idp') return checkProvider(value, config);
  if (kind !== 'principal') return OTHERS;
  if (value.startsWith('token:') && !value.includes('@')) {
    const name = value.slice('token:'.length);
    if ((await store.tokens.byName(name)) === undefined)
      throw new CommandFailed(`There is no live token ${name}.${meantWords(name, await liveTokens(store))} lictor token list shows them.`);
    return OTHERS;
  }
  const at = value.lastIndexOf('@');
  const [name, idp] = [value.slice(0, at), value.slice(at + 1)];
  const account = await store.accounts.byName(name);
  if (idp === accountsProvider(config) || idp === BREAK_GLASS) {
    if (account !== undefined) return { ofAccounts: true, note: null };
    const accounts = (await store.accounts.list()).map((one) => `${one.name}@${idp}`);
    throw new CommandFailed(`There is no account ${value}.${meantWords(value, accounts)} lictor account list shows them.`);
  }
  requireProvider(idp, { config, hint: account === undefined ? '' : ` The account ${name} is ${name}@${accountsProvider(config) ?? BREAK_GLASS}.` });
  const names = await store.identities.namesOf(idp, name);
  if (names.length === 0) {
    const known = (await store.identities.list()).map((one) => `${one.name}@${one.idp}`);
    return { ofAccounts: false, note: `No user of that name has logged in from ${idp} yet.${meantWords(value, known)}` };
  }
  return names[0] === name ? OTHERS : { ofAccounts: false, note: `They are called ${names[0]}@${idp} now.` };
}

/** Names of the tokens that are not revoked. */
export async function liveTokens(store: AdminSession['store']): Promise<readonly string[]> {
  return (await store.tokens.list()).filter(({ revokedMs }) => revokedMs === null).map(({ name }) => name);
}

/** Accounts that end by themselves come from no provider of the configuration. */
function checkProvider(id: string, config: AdminSession['config']): CheckedTarget {
  const accounts = accountsProvider(config);
  if (id === accounts) return { ofAccounts: true, note: null };
  if (id === BREAK_GLASS) return { ofAccounts: true, note: accounts === null ? null : `Accounts are called ${accounts} now: all of them are locked.` };
  requireProvider(id, { config, hint: '' });
  return OTHERS;
}

function requireProvider(id: string, { config, hint }: { readonly config: AdminSession['config']; readonly hint: string }): void {
  const known = config.identityProviders.map((provider) => provider.id);
  if (known.includes(id)) return;
  throw new CommandFailed(
    `There is no identity provider ${id} in the configuration${known.length === 0 ? '' : `; there is ${known.join(', ')}`}.${meantWords(id, known)}${hint}`,
  );
}

/** What was locked or unlocked beside what was asked for, since one person is called so too; empty: nothing. */
export function otherNames({ value }: LockTarget, done: readonly string[]): string {
  const others = done.filter((one) => one !== value);
  return others.length === 0 ? '' : `So is the same person by other names: ${others.join(', ')}.`;
}

/** In one form, so that unlock finds what lock wrote. */
function network(text: string): string {
  const parsed = parseNetwork(text);
  if (parsed === undefined) throw new UsageError('address: takes an address or a network: address:192.0.2.7, address:10.0.0.0/8, address:2001:db8::/32.');
  if (parsed.prefix === 0) throw new UsageError('A network of every address would shut everybody out, you too.');
  const bits = parsed.family === 'ipv4' ? 32 : 128;
  return parsed.prefix === bits ? parsed.address : `${parsed.address}/${parsed.prefix}`;
}
