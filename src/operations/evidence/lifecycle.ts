// Joiners and leavers of the period: accounts, tokens, identities, command-line logins.

import { isoTime } from '../../contract/time-text.ts';
import type { StoredIdentity } from '../../store/identities.ts';
import type { StoredToken } from '../../store/tokens.ts';
import type { LeaverRow, LifecycleRow } from './data.ts';
import { cameBack, idOf, JOINS, type LateUse, LEAVES, nameOf, REMEMBERED_MS } from './late-use.ts';
import type { Usage } from './usage.ts';

export interface LifecycleSources {
  readonly from: string;
  readonly to: string;
  readonly usage: Usage;
  readonly late: Pick<LateUse, 'after'>;
  readonly identities: readonly StoredIdentity[];
  readonly tokens: readonly StoredToken[];
  /** Id of the provider of built-in accounts. */
  readonly accountsIdp: string;
}

export function gatherJoiners({ from, to, usage, identities }: LifecycleSources): readonly LifecycleRow[] {
  const recorded = usage.events.flatMap((event) => {
    const what = event.outcome === 'deny' ? undefined : JOINS[event.action];
    return what === undefined ? [] : [{ time: event.time, what, who: nameOf(event), by: event.by }];
  });
  const seen = identities
    .map(({ name, idp, createdMs }) => ({ time: isoTime(createdMs), what: `first login by ${idp}`, who: `${name}@${idp}`, by: null }))
    .filter(({ time }) => time >= from && time < to);
  return byTime([...recorded, ...seen]);
}

export function gatherLeavers(sources: LifecycleSources): readonly LeaverRow[] {
  const { usage, late, accountsIdp } = sources;
  const recorded = usage.events.flatMap((event): LeaverRow[] => {
    const what = LEAVES[event.action];
    if (what === undefined) return [];
    const who = nameOf(event);
    return [{ time: event.time, what, who, by: event.by, last_allowed: lastAllowed(usage, idOf(event, accountsIdp)), let_in_after: late.after(event) }];
  });
  return byTime([...recorded, ...expiredTokens(sources)]);
}

function expiredTokens({ from, to, tokens, usage }: LifecycleSources): readonly LeaverRow[] {
  return tokens.flatMap(({ name, secrets, revokedMs }): LeaverRow[] => {
    const ends = secrets.map(({ expiresMs }) => expiresMs ?? Number.POSITIVE_INFINITY);
    const last = Math.max(...ends);
    if (revokedMs !== null || !Number.isFinite(last)) return [];
    const time = isoTime(last);
    if (time < from || time >= to) return [];
    return [{ time, what: 'token expired', who: `token:${name}`, by: null, ...useAfterEnd(usage, time, `token:${name}`) }];
  });
}

function lastAllowed({ principals }: Usage, id: string): string | null {
  return principals.get(id)?.lastAllowed ?? null;
}

/** A token's expiry has no record. The store has it, and a renewed token has another expiry. */
function useAfterEnd(usage: Usage, time: string, id: string): Pick<LeaverRow, 'last_allowed' | 'let_in_after'> {
  const last = lastAllowed(usage, id);
  const after = last !== null && Date.parse(last) > Date.parse(time) + REMEMBERED_MS;
  return { last_allowed: last, let_in_after: after && !cameBack(usage.events, time, id) };
}

function byTime<T extends LifecycleRow>(rows: readonly T[]): readonly T[] {
  return rows.toSorted((a, b) => (a.time < b.time ? -1 : 1));
}
