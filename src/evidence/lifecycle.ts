// Who and what came and went in the period: accounts, tokens, identities, logins of the command line.
import type { StoredIdentity } from '../store/identities.ts';
import type { StoredToken } from '../store/tokens.ts';
import type { EventRow, LeaverRow, LifecycleRow } from './data.ts';
import type { Usage } from './usage.ts';

export interface LifecycleSources {
  readonly from: string;
  readonly to: string;
  readonly usage: Usage;
  readonly identities: readonly StoredIdentity[];
  readonly tokens: readonly StoredToken[];
  /** Id of the provider whose accounts are built in; null: there is none. */
  readonly accountsIdp: string;
}

const JOINS: Readonly<Record<string, string>> = {
  'account.add': 'account added',
  'account.break_glass': 'break-glass account added',
  'token.create': 'token created',
  'device.allow': 'command-line login allowed',
};
const LEAVES: Readonly<Record<string, string>> = {
  'account.remove': 'account removed',
  'token.revoke': 'token revoked',
  'identity.forget': 'identity forgotten',
  'lock.create': 'locked',
};
/** What gives a right back. */
const RETURNS = [...Object.keys(JOINS), 'lock.remove', 'token.rotate'];
/** An allow that nginx remembers lives for two seconds at most. */
const REMEMBERED_MS = 2_000;

export function gatherJoiners({ from, to, usage, identities }: LifecycleSources): readonly LifecycleRow[] {
  const recorded = usage.events.flatMap((event) => {
    const what = event.outcome === 'deny' ? undefined : JOINS[event.action];
    return what === undefined ? [] : [{ time: event.time, what, who: nameOf(event), by: event.principal }];
  });
  const seen = identities
    .map(({ name, idp, createdMs }) => ({ time: iso(createdMs), what: `first came by ${idp}`, who: `${name}@${idp}`, by: null }))
    .filter(({ time }) => time >= from && time < to);
  return byTime([...recorded, ...seen]);
}

export function gatherLeavers(sources: LifecycleSources): readonly LeaverRow[] {
  const { usage } = sources;
  const recorded = usage.events.flatMap((event): LeaverRow[] => {
    const what = LEAVES[event.action];
    if (what === undefined) return [];
    const who = nameOf(event);
    return [{ time: event.time, what, who, by: event.principal, ...laterUse(event.time, idOf(event, sources), sources) }];
  });
  return byTime([...recorded, ...expiredTokens(sources)]);
}

function expiredTokens({ from, to, tokens, ...sources }: LifecycleSources): readonly LeaverRow[] {
  return tokens.flatMap(({ name, secrets, revokedMs }): LeaverRow[] => {
    const ends = secrets.map(({ expiresMs }) => expiresMs ?? Number.POSITIVE_INFINITY);
    const last = Math.max(...ends);
    if (revokedMs !== null || !Number.isFinite(last)) return [];
    const time = iso(last);
    if (time < from || time >= to) return [];
    return [{ time, what: 'token expired', who: `token:${name}`, by: null, ...laterUse(time, `token:${name}`, { from, to, tokens, ...sources }) }];
  });
}

function laterUse(time: string, id: string, { usage }: LifecycleSources): Pick<LeaverRow, 'last_allowed' | 'let_in_after'> {
  const last = usage.principals.get(id)?.lastAllowed ?? null;
  const after = last !== null && Date.parse(last) > Date.parse(time) + REMEMBERED_MS;
  const returned = usage.events.some((event) => event.time > time && RETURNS.includes(event.action) && isAbout(event, id));
  return { last_allowed: last, let_in_after: after && !returned };
}

/** An unlock of a provider or an address gives back too: it is taken for everybody, so that nothing is claimed falsely. */
function isAbout({ action, resource }: EventRow, id: string): boolean {
  const name = (resource ?? '').split(' ').slice(1).join(' ');
  if (action === 'lock.remove' && /^(?:idp|address|session):/.test(name)) return true;
  return name === id || `token:${name}` === id || id.startsWith(`${name}@`);
}

/** As the ledger's requests name it. */
function idOf(event: EventRow, { accountsIdp }: LifecycleSources): string {
  const name = nameOf(event);
  return event.action.startsWith('account.') ? `${name}@${accountsIdp}` : name;
}

function nameOf({ action, resource, principal }: EventRow): string {
  const [type = '', ...rest] = (resource ?? '').split(' ');
  const name = rest.join(' ');
  if (action === 'device.allow') return principal ?? name;
  return type === 'ServiceToken' ? `token:${name}` : name;
}

function byTime<T extends LifecycleRow>(rows: readonly T[]): readonly T[] {
  return rows.toSorted((a, b) => (a.time < b.time ? -1 : 1));
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
