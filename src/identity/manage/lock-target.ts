// What a lock is on, as people write it: `alice@local`, `token:NAME`, `agent:NAME`, `session:ID`, `idp:ID`, `address:NETWORK`.

import type { Agent, Config } from '../../config/config.ts';
import { meantWords } from '../../config/suggest.ts';
import { LictorError } from '../../contract/error.ts';
import type { LockTarget } from '../../contract/lock.ts';
import { BREAK_GLASS } from '../../contract/names.ts';
import { agentId } from '../../contract/principal.ts';
import type { HeldTarget } from '../../store/locks.ts';
import type { Store } from '../../store/store.ts';
import { accountsProvider, mayBeAccounts } from '../authn/accounts/principal.ts';
import { parseNetwork } from '../authn/service-token/networks.ts';

/** The store and the configuration that a target is checked against. */
export interface LockContext {
  readonly store: Pick<Store, 'accounts' | 'identities' | 'locks' | 'tokens'>;
  readonly config: Pick<Config, 'agents' | 'identityProviders'>;
}

export const TARGET_HELP = 'alice@local, token:NAME, agent:NAME, session:ID, idp:ID or address:NETWORK';

export const LONGEST_WHY = 200;

/** The reason of a lock: one line. */
export function isWhy(text: string): boolean {
  return !/\p{Cc}/u.test(text) && text.length <= LONGEST_WHY;
}

/** Throws LictorError `lock-target-invalid` for any other form. */
export function parseTarget(text: string): LockTarget {
  // A text with `@` is a full principal id: a person may have the name `idp:x` at their provider, and a lock must still apply to them.
  const [, kind, value = ''] = /^(session|idp|address):([^@]*)$/.exec(text) ?? [];
  if (kind === 'address') return { kind, value: network(value) };
  if (kind === 'session' && /^[0-9a-f]{16,64}$/.test(value)) return { kind, value };
  if (kind === 'session') throw invalid('A session is named by the session_id of its records: lictor audit --json shows it.');
  if (kind === 'idp' && /^[A-Za-z0-9._-]+$/.test(value)) return { kind, value };
  // The name in a certificate or a JWT may contain spaces.
  if (kind === undefined && /^(?:(?:token|agent):\S+|[^\s\p{Cc}](?:\P{Cc}*[^\s\p{Cc}])?@[^\s@]+)$/u.test(text)) return { kind: 'principal', value: text };
  throw invalid(`Write what the lock is on: ${TARGET_HELP}.`);
}

export interface CheckedTarget {
  /** The lock is on built-in accounts, under any name of their provider. */
  readonly ofAccounts: boolean;
  /** A note for the user: a fact that cannot be checked, or further effects of the lock. */
  readonly note: string | null;
}

const OTHERS: CheckedTarget = { ofAccounts: false, note: null };

/** A lock without a matching principal has no effect: throws LictorError `lock-target-unknown` for a name that cannot exist. */
export async function checkTarget({ kind, value }: LockTarget, context: LockContext): Promise<CheckedTarget> {
  const { store, config } = context;
  if (kind === 'idp') return checkProvider(value, config);
  if (kind !== 'principal') return OTHERS;
  if (!value.includes('@')) return checkMachine(value, context);
  const at = value.lastIndexOf('@');
  const [name, idp] = [value.slice(0, at), value.slice(at + 1)];
  const account = await store.accounts.byName(name);
  if (idp === accountsProvider(config) || idp === BREAK_GLASS) {
    if (account !== undefined) return { ofAccounts: true, note: null };
    const accounts = (await store.accounts.list()).map((one) => `${one.name}@${idp}`);
    throw unknown(`There is no account ${value}.${meantWords(value, accounts)} lictor account list shows them.`);
  }
  requireProvider(idp, { config, hint: account === undefined ? '' : ` The account ${name} is ${name}@${accountsProvider(config) ?? BREAK_GLASS}.` });
  const names = await store.identities.namesOf(idp, name);
  if (names.length === 0) {
    const known = (await store.identities.list()).map((one) => `${one.name}@${one.idp}`);
    return { ofAccounts: false, note: `No user of that name has logged in from ${idp} yet.${meantWords(value, known)}` };
  }
  return names[0] === name ? OTHERS : { ofAccounts: false, note: `They are called ${names[0]}@${idp} now.` };
}

const AGENT = agentId('');

/** `token:NAME` or `agent:NAME`. */
async function checkMachine(value: string, { store, config }: LockContext): Promise<CheckedTarget> {
  if (value.startsWith(AGENT)) {
    requireAgent(value.slice(AGENT.length), config);
    return OTHERS;
  }
  const name = value.slice('token:'.length);
  if ((await store.tokens.byName(name)) === undefined)
    throw unknown(`There is no live token ${name}.${meantWords(name, await liveTokens(store))} lictor token list shows them.`);
  return OTHERS;
}

/** The agent of lictor.yaml. Throws LictorError `lock-target-unknown` if there is none. */
export function requireAgent(name: string, { agents }: Pick<Config, 'agents'>): Agent {
  const found = agents.find((agent) => agent.name === name);
  if (found !== undefined) return found;
  const names = agents.map((agent) => agent.name);
  throw unknown(`There is no agent ${JSON.stringify(name)} in the configuration.${meantWords(name, names)} lictor agent list shows them.`);
}

/** Names of the tokens that are not revoked. */
export async function liveTokens(store: Pick<Store, 'tokens'>): Promise<readonly string[]> {
  return (await store.tokens.list()).filter(({ revokedMs }) => revokedMs === null).map(({ name }) => name);
}

/** Break-glass accounts have a provider that is not in the configuration. */
function checkProvider(id: string, config: LockContext['config']): CheckedTarget {
  const accounts = accountsProvider(config);
  if (id === accounts) return { ofAccounts: true, note: null };
  if (id === BREAK_GLASS) return { ofAccounts: true, note: accounts === null ? null : `Accounts are called ${accounts} now: all of them are locked.` };
  requireProvider(id, { config, hint: '' });
  return OTHERS;
}

function requireProvider(id: string, { config, hint }: { readonly config: LockContext['config']; readonly hint: string }): void {
  const known = config.identityProviders.map((provider) => provider.id);
  if (known.includes(id)) return;
  throw unknown(
    `There is no identity provider ${id} in the configuration${known.length === 0 ? '' : `; there is ${known.join(', ')}`}.${meantWords(id, known)}${hint}`,
  );
}

/** The other names of the same person that were locked or unlocked too. Empty: none. */
export function otherNames({ value }: LockTarget, done: readonly string[]): string {
  const others = done.filter((one) => one !== value);
  return others.length === 0 ? '' : `The same applies to their other names: ${others.join(', ')}.`;
}

/** The canonical form, so that unlock finds the lock. */
function network(text: string): string {
  const parsed = parseNetwork(text);
  if (parsed === undefined) throw invalid('address: takes an address or a network: address:192.0.2.7, address:10.0.0.0/8, address:2001:db8::/32.');
  if (parsed.prefix === 0) throw invalid('A network of every address would shut everybody out, you too.');
  const bits = parsed.family === 'ipv4' ? 32 : 128;
  return parsed.prefix === bits ? parsed.address : `${parsed.address}/${parsed.prefix}`;
}

/** The target as the store compares it, for the removal of a lock. */
export async function heldTarget(target: LockTarget, context: LockContext): Promise<HeldTarget> {
  return { ...target, ofAccounts: await isOfAccounts(target, context) };
}

/** True for the current name of the accounts' provider, and for its name at the time of the lock, unless another provider has that name now. */
async function isOfAccounts({ kind, value }: LockTarget, { store, config }: LockContext): Promise<boolean> {
  if (kind !== 'idp' && (kind !== 'principal' || !value.includes('@'))) return false;
  const idp = kind === 'idp' ? value : value.slice(value.lastIndexOf('@') + 1);
  if (idp === accountsProvider(config) || idp === BREAK_GLASS) return true;
  const exact = (await store.locks.list()).find((lock) => lock.kind === kind && lock.value === value);
  return exact?.ofAccounts === true && mayBeAccounts(idp, config);
}

function invalid(message: string): LictorError {
  return new LictorError('lock-target-invalid', message);
}

function unknown(message: string): LictorError {
  return new LictorError('lock-target-unknown', message);
}
