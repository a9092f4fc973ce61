// Reads the records of a period one after the other: use, denials, administration. Memory is bounded.
import { byWhom } from '../../contract/chain-words.ts';
import { createDoctorRecords } from '../../contract/doctor-records.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { SUMMARY_ACTION } from '../../record/ledger/floods.ts';
import { tallyApprovals } from './approvals.ts';
import type { Activity, ApprovalRow, EventRow } from './data.ts';
import { type Denials, type PrincipalUse, type Tally, tallyDenials, tallyPrincipals, tallyRequests } from './tallies.ts';

export interface Usage {
  readonly activity: Activity;
  readonly principals: ReadonlyMap<string, PrincipalUse>;
  readonly denials: Denials;
  readonly events: readonly EventRow[];
  readonly approvals: readonly ApprovalRow[];
  readonly limits: readonly string[];
  /** Is this principal a token of `lictor doctor`? They are left out. */
  readonly isDoctors: (principal: string) => boolean;
}

export interface UsageLimits {
  readonly principals: number;
  readonly denials: number;
  readonly events: number;
  readonly approvals: number;
}

export const USAGE_LIMITS: UsageLimits = { principals: 20_000, denials: 5_000, events: 20_000, approvals: 20_000 };

/** Administration, and the gateway's own events. Logins and short-lived tokens are only counted. */
const EVENT = /^(?:account|config|device|edge|gateway|identity|keys|ledger|lock|policy|token|upstream)\.(?!exchange$|refresh$|device$|read$)/;
const LOGIN = 'session.login';
/** Only of sums. */
const ANONYMOUS = 'anonymous-requests';

export function createUsage(limits: UsageLimits = USAGE_LIMITS) {
  const [principals, denials, requests, events, approvals] = [
    tallyPrincipals(limits.principals),
    tallyDenials(limits.denials),
    tallyRequests(),
    tallyEvents(limits.events),
    tallyApprovals(limits.approvals),
  ];
  const doctors = createDoctorRecords();
  let ofDoctors = 0;
  const sums = { records: 0, logins: 0, failed_logins: 0, anonymous_in_sums: 0 };
  return {
    /** In time order. */
    add(record: LedgerRecord): void {
      if (doctors.has(record)) {
        ofDoctors += 1;
        return;
      }
      const isSum = record.action === SUMMARY_ACTION;
      const count = isSum ? Number(record.resource_id ?? 0) : 1;
      sums.records += 1;
      if (record.reason === ANONYMOUS) sums.anonymous_in_sums += count;
      if (record.action === LOGIN) sums[record.decision === 'deny' ? 'failed_logins' : 'logins'] += 1;
      denials.add(record, count);
      events.add(record, count);
      approvals.add(record, count);
      if (record.request_id === null && !isSum) return;
      requests.add(record, count);
      principals.add(record, count);
    },
    whole(): Usage {
      const activity = { ...sums, ...requests.whole() };
      const limited = limitTexts({ principals: principals.lost(), denials: denials.lost(), events: events.lost(), approvals: approvals.lost() });
      const probes = ofDoctors === 0 ? [] : [`${ofDoctors} records of lictor doctor's own tokens are left out.`];
      const whole = { principals: principals.whole(), denials: denials.whole(), events: events.whole(), approvals: approvals.whole() };
      return { activity, ...whole, limits: [...limited, ...probes], isDoctors: doctors.isToken };
    },
  };
}

function tallyEvents(most: number): Tally<readonly EventRow[]> {
  const events: EventRow[] = [];
  let lost = 0;
  return {
    add(record) {
      const event = eventIn(record);
      if (event === undefined) return;
      if (events.length < most) events.push(event);
      else lost += 1;
    },
    whole: () => events,
    lost: () => lost,
  };
}

/** Undefined: a request, not an administrative event. */
export function eventIn(record: LedgerRecord): EventRow | undefined {
  const { time, action, principal, resource_type: type, resource_id: id, decision, reason, duration_ms: gap } = record;
  if (action === null || record.path_taken !== null || !EVENT.test(action)) return undefined;
  const resource = id === null ? type : `${type ?? ''} ${id}`.trim();
  const by = principal === null ? null : byWhom(principal, record.on_behalf_of);
  return { time, action, principal, by, resource, outcome: reason ?? decision, gap_ms: gap };
}

function limitTexts(lost: UsageLimits): readonly string[] {
  const words = {
    principals: `${lost.principals} requests of further principals are not listed: there were too many.`,
    denials: `${lost.denials} denials of further reasons and principals are not listed: there were too many.`,
    events: `${lost.events} later changes and events are not listed: there were too many. Take a shorter period.`,
    approvals: `${lost.approvals} records of further approvals are not listed: there were too many. Take a shorter period.`,
  };
  return (['principals', 'denials', 'events', 'approvals'] as const).filter((what) => lost[what] > 0).map((what) => words[what]);
}
