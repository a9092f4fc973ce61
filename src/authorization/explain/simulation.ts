// The changed decisions of a simulation, grouped by principal, action and policies. Snake case, since --json prints it.
import type { LedgerRecord } from '../../contract/record.ts';
import type { Replayed, Verdict } from './simulate.ts';

export interface ChangeGroup {
  readonly change: 'now-denied' | 'now-allowed' | 'may-change';
  readonly principal: string;
  readonly action: string;
  readonly resource_type: string;
  readonly policies: readonly string[];
  readonly right: string | null;
  readonly count: number;
  /** The ids of the requests, oldest first. */
  readonly requests: readonly string[];
  /** Of the first requests. */
  readonly samples: readonly ChangedRequest[];
  /** Of the principal, today. */
  readonly roles: readonly string[];
}

export interface ChangedRequest {
  readonly request_id: string;
  readonly time: string;
  readonly resource_id: string | null;
  readonly flow_run_id: string | null;
  /** Of the recorded answer. */
  readonly status: number | null;
}

/** Without the roles, which no record has. */
type Counted = Omit<ChangeGroup, 'roles'> & { readonly requests: string[]; readonly samples: ChangedRequest[] };

export interface Simulation {
  readonly since: string;
  /** The time of the ledger's oldest record, if it is later than `since`; null: the ledger has the whole time. */
  readonly ledger_from: string | null;
  readonly records: number;
  readonly counts: Readonly<Record<Verdict, number>>;
  readonly changes: readonly ChangeGroup[];
  /** Some of the requests that Lictor could not replay. */
  readonly unlike_then: readonly string[];
  readonly unknown_principals: readonly string[];
}

const SAMPLES = 20;

interface CollectorOptions {
  readonly since: string;
  /** The time of the oldest record; empty: there is none. */
  readonly ledgerFrom: string;
  /** Of each group. Its count has all of them. */
  readonly mostRequests?: number | undefined;
}

export function createCollector({ since, ledgerFrom, mostRequests = Number.POSITIVE_INFINITY }: CollectorOptions) {
  const counts: Record<Verdict, number> = {
    same: 0,
    'now-denied': 0,
    'now-allowed': 0,
    'may-change': 0,
    'unlike-then': 0,
    'principal-unknown': 0,
    'not-by-policy': 0,
  };
  const groups = new Map<string, Counted>();
  const unlike: string[] = [];
  const strangers = new Set<string>();
  let records = 0;
  return {
    add(record: LedgerRecord, { verdict, policies, right }: Replayed): void {
      records += 1;
      counts[verdict] += 1;
      const request = record.request_id ?? record.id;
      if (verdict === 'unlike-then' && unlike.length < SAMPLES) unlike.push(request);
      if (verdict === 'principal-unknown') strangers.add(record.principal ?? '');
      if (!isChange(verdict)) return;
      const about = aboutOf(record, { change: verdict, policies, right });
      const key = JSON.stringify(about);
      const group = groups.get(key) ?? { ...about, count: 0, requests: [], samples: [] };
      if (group.requests.length < mostRequests) group.requests.push(request);
      if (group.samples.length < SAMPLES) group.samples.push(sampleOf(record, request));
      groups.set(key, { ...group, count: group.count + 1 });
    },
    async whole(rolesOf: (principal: string) => Promise<readonly string[]>): Promise<Simulation> {
      const all = await Promise.all([...groups.values()].map(async (group) => ({ ...group, roles: await rolesOf(group.principal) })));
      const changes = all.sort((a, b) => ORDER.indexOf(a.change) - ORDER.indexOf(b.change) || b.count - a.count);
      return {
        since,
        ledger_from: ledgerFrom > since ? ledgerFrom : null,
        records,
        counts,
        changes,
        unlike_then: unlike,
        unknown_principals: [...strangers].sort(),
      };
    },
  };
}

function sampleOf({ time, resource_id, flow_run_id, status }: LedgerRecord, request: string): ChangedRequest {
  return { request_id: request, time, resource_id, flow_run_id, status };
}

type About = Pick<ChangeGroup, 'change' | 'policies' | 'right'>;

function aboutOf({ principal, action, resource_type }: LedgerRecord, { change, policies, right }: About) {
  return { change, principal: principal ?? '', action: action ?? '', resource_type: resource_type ?? '', policies, right };
}

function isChange(verdict: Verdict): verdict is ChangeGroup['change'] {
  return ORDER.some((change) => change === verdict);
}

const ORDER: readonly ChangeGroup['change'][] = ['now-denied', 'now-allowed', 'may-change'];
