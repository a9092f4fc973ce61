// What `lictor lock` and `unlock` are told: `alice@local`, `token:NAME`, `session:ID`, `idp:ID`, `address:NETWORK`.
import { accountsProvider, idpOfAccount } from '../authn/accounts/principal.ts';
import { parseNetwork } from '../authn/service-token/networks.ts';
import type { LockTarget } from '../contract/lock.ts';
import { BREAK_GLASS } from '../contract/names.ts';
import type { AdminSession } from './admin.ts';
import { CommandFailed, UsageError } from './errors.ts';

export const TARGET_HELP = 'alice@local, token:NAME, session:ID, idp:ID or address:NETWORK';

/** Throws UsageError for what is none of the forms. */
export function parseTarget(text: string): LockTarget {
  const [, kind, value = ''] = /^(session|idp|address):(.*)$/s.exec(text) ?? [];
  if (kind === 'address') return { kind, value: network(value) };
  if (kind === 'session' && /^[0-9a-f]{16,64}$/.test(value)) return { kind, value };
  if (kind === 'session') throw new UsageError('A session is named by the session_id of its records: lictor audit --json shows it.');
  if (kind === 'idp' && /^[A-Za-z0-9._-]+$/.test(value)) return { kind, value };
  // The name in a certificate or a JWT may have blanks in it.
  if (kind === undefined && /^(?:token:\S+|[^\s\p{Cc}](?:\P{Cc}*[^\s\p{Cc}])?@[^\s@]+)$/u.test(text)) return { kind: 'principal', value: text };
  throw new UsageError(`What should be locked? Write ${TARGET_HELP}.`);
}

/** A lock on nobody shuts nobody out: what can be known to be a slip is refused. Answers what cannot be known, for the user to read. */
export async function checkTarget({ kind, value }: LockTarget, { store, config }: AdminSession): Promise<string | null> {
  const providers = config.identityProviders.map(({ id }) => id);
  if (kind === 'idp') requireProvider(value, providers);
  if (kind !== 'principal') return null;
  if (value.startsWith('token:') && !value.includes('@')) {
    const name = value.slice('token:'.length);
    if ((await store.tokens.byName(name)) === undefined) throw new CommandFailed(`There is no live token ${name}. lictor token list shows them.`);
    return null;
  }
  const at = value.lastIndexOf('@');
  const [name, idp] = [value.slice(0, at), value.slice(at + 1)];
  if (idp === accountsProvider(config) || idp === BREAK_GLASS) {
    const account = await store.accounts.byName(name);
    if (account !== undefined && idpOfAccount(account, config) === idp) return null;
    throw new CommandFailed(`There is no account ${value}. lictor account list shows them.`);
  }
  requireProvider(idp, providers);
  return (await store.identities.byName(idp, name)) === undefined ? `Nobody of that name has come from ${idp} yet.` : null;
}

function requireProvider(id: string, known: readonly string[]): void {
  if (known.includes(id)) return;
  throw new CommandFailed(`There is no identity provider ${id} in the configuration${known.length === 0 ? '' : `; there is ${known.join(', ')}`}.`);
}

/** In one form, so that unlock finds what lock wrote. */
function network(text: string): string {
  const parsed = parseNetwork(text);
  if (parsed === undefined) throw new UsageError('address: takes an address or a network: address:192.0.2.7, address:10.0.0.0/8, address:2001:db8::/32.');
  if (parsed.prefix === 0) throw new UsageError('A network of every address would shut everybody out, you too.');
  const bits = parsed.family === 'ipv4' ? 32 : 128;
  return parsed.prefix === bits ? parsed.address : `${parsed.address}/${parsed.prefix}`;
}
