// Counts over the records of a period. Each tally has a bound, and reports how much exceeded it.
import type { ActionName } from '../../contract/operation.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import type { Activity, DenialRow, ReasonRow } from './data.ts';

/** `record` in time order. `count`: the number of requests that it stands for. */
export interface Tally<T> {
  add(record: LedgerRecord, count: number): void;
  whole(): T;
  /** How many exceeded the bound. */
  lost(): number;
}

export interface PrincipalUse {
  readonly id: string;
  readonly kind: string;
  readonly idp: string | null;
  readonly first: string;
  last: string;
  lastAllowed: string | null;
  requests: number;
  denials: number;
  readonly actions: Set<ActionName>;
}

export function tallyPrincipals(most: number): Tally<ReadonlyMap<string, PrincipalUse>> {
  const principals = new Map<string, PrincipalUse>();
  let lost = 0;
  const known = (record: LedgerRecord, id: string): PrincipalUse | undefined => {
    const found = principals.get(id) ?? (principals.size < most ? firstUse(record, id) : undefined);
    if (found !== undefined) principals.set(id, found);
    return found;
  };
  return {
    add(record) {
      const use = record.principal === null ? undefined : known(record, record.principal);
      if (use !== undefined) addUse(use, record);
      else if (record.principal !== null) lost += 1;
    },
    whole: () => principals,
    lost: () => lost,
  };
}

function firstUse({ time, principal_kind: kind, idp }: LedgerRecord, id: string): PrincipalUse {
  return { id, kind: kind ?? '', idp, first: time, last: time, lastAllowed: null, requests: 0, denials: 0, actions: new Set() };
}

function addUse(use: PrincipalUse, { time, decision, action }: LedgerRecord): void {
  use.last = time;
  use.requests += 1;
  if (decision === 'deny') use.denials += 1;
  if (decision !== 'allow') return;
  use.lastAllowed = time;
  if (action !== null) use.actions.add(action);
}

const MOST_ACTIONS = 5;

export interface Denials {
  readonly byReason: readonly ReasonRow[];
  readonly byPrincipal: readonly DenialRow[];
}

type Denial = Omit<DenialRow, 'actions' | 'last' | 'count'> & { last: string; count: number; readonly actions: Set<string> };

export function tallyDenials(most: number): Tally<Denials> {
  const denials = new Map<string, Denial>();
  const reasons = new Map<string, number>();
  let lost = 0;
  return {
    add(record, count) {
      if (record.decision !== 'deny') return;
      const reason = record.reason ?? 'undecided';
      reasons.set(reason, (reasons.get(reason) ?? 0) + count);
      const principal = record.principal ?? record.credential_id;
      const key = `${reason}\n${principal ?? ''}`;
      const denial = denials.get(key) ?? (denials.size < most ? firstDenial(record, reason, principal) : undefined);
      if (denial === undefined) {
        lost += count;
        return;
      }
      denials.set(key, denial);
      denial.last = record.time;
      denial.count += count;
      if (record.action !== null && denial.actions.size < MOST_ACTIONS) denial.actions.add(record.action);
    },
    whole: () => ({
      byReason: sorted([...reasons].map(([reason, count]) => ({ reason, count }))),
      byPrincipal: sorted([...denials.values()].map(({ actions, ...denial }) => ({ ...denial, actions: [...actions].sort() }))),
    }),
    lost: () => lost,
  };
}

function firstDenial({ time, request_id: example }: LedgerRecord, reason: string, principal: string | null): Denial {
  return { reason, principal, first: time, last: time, count: 0, actions: new Set(), example };
}

function sorted<T extends ReasonRow>(rows: readonly T[]): readonly T[] {
  return rows.toSorted((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
}

/** Requests by path and day. The number of days is the bound. */
export function tallyRequests(): Tally<Pick<Activity, 'requests' | 'allowed' | 'denied' | 'by_way' | 'days'>> {
  const days = new Map<string, { allowed: number; denied: number }>();
  const ways = new Map<string, number>();
  const sums = { requests: 0, allowed: 0, denied: 0 };
  return {
    add({ time, decision, path_taken: way }, count) {
      sums.requests += count;
      ways.set(way ?? 'own', (ways.get(way ?? 'own') ?? 0) + count);
      const day = days.get(time.slice(0, 10)) ?? { allowed: 0, denied: 0 };
      days.set(time.slice(0, 10), day);
      const outcome = decision === 'allow' ? 'allowed' : 'denied';
      if (decision === null) return;
      sums[outcome] += count;
      day[outcome] += count;
    },
    whole: () => ({ ...sums, by_way: Object.fromEntries([...ways].sort()), days: [...days].map(([day, sum]) => ({ day, ...sum })) }),
    lost: () => 0,
  };
}
