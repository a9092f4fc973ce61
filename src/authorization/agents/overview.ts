// The agents as administrators see them: sponsor, budgets used and left, last call, and whether an agent is stopped.
import type { Agent, AgentCredential } from '../../config/config.ts';
import type { Lock } from '../../contract/lock.ts';
import { agentId } from '../../contract/principal.ts';
import { USE_KINDS, type UseKind } from '../../store/agent-uses.ts';
import type { Store } from '../../store/store.ts';

export interface AgentOverview {
  readonly name: string;
  readonly sponsor: string;
  readonly credential: string;
  readonly budgets: Readonly<Record<string, BudgetState>>;
  /** The last call that Lictor counted; null: none. */
  readonly lastCallMs: number | null;
  readonly runsInProgress: number;
  readonly pendingApprovals: number;
  /** Until then, `taint` restricts what it writes; null: it has no taint. */
  readonly taintedUntilMs: number | null;
  /** The lock that stops it; null: none. */
  readonly stopped: Lock | null;
}

/** `used` null: it is counted for each run of the agent separately. */
export interface BudgetState {
  readonly most: number;
  readonly used: number | null;
}

export type OverviewStore = Pick<Store, 'agentUses' | 'agentRuns' | 'approvals' | 'locks' | 'taints'>;

export async function agentOverviews(agents: readonly Agent[], store: OverviewStore): Promise<readonly AgentOverview[]> {
  const [locks, approvals] = await Promise.all([store.locks.list(), store.approvals.list()]);
  return Promise.all(
    agents.map(async (agent): Promise<AgentOverview> => {
      const { name, sponsor } = agent;
      const id = agentId(name);
      const runsInProgress = await store.agentRuns.inProgress(name);
      return {
        name,
        sponsor: `${sponsor.name}@${sponsor.idp}`,
        credential: credentialText(agent.credential),
        budgets: await budgetsOf(agent, store, runsInProgress),
        lastCallMs: await store.agentUses.lastMs(name, 'calls'),
        runsInProgress,
        pendingApprovals: approvals.filter(({ state, countedFor }) => state === 'pending' && countedFor === id).length,
        taintedUntilMs: await store.taints.until(id),
        stopped: locks.find(({ kind, value }) => kind === 'principal' && value === id) ?? null,
      };
    }),
  );
}

async function budgetsOf({ name, budgets }: Agent, { agentUses }: OverviewStore, runsInProgress: number): Promise<AgentOverview['budgets']> {
  const bounds: Readonly<Record<UseKind, number | null>> = { calls: budgets.callsPerMinute, runs: budgets.runsPerHour, bytes: budgets.bytesPerHour };
  const used = await Promise.all(USE_KINDS.map(async (kind) => [kind, { most: bounds[kind], used: await agentUses.used(name, kind) }] as const));
  const all = [
    ...used,
    ['concurrent_runs', { most: budgets.concurrentRuns, used: runsInProgress }] as const,
    ['descendants', { most: budgets.descendants, used: null }] as const,
  ];
  return Object.fromEntries(all.flatMap(([key, { most, used: count }]) => (most === null ? [] : [[key, { most, used: count }]])));
}

function credentialText(credential: AgentCredential): string {
  if (credential.kind === 'token') return 'token';
  return credential.kind === 'client' ? `client:${credential.id}` : `claim:${credential.key}=${credential.pattern}@${credential.idp}`;
}

export interface AgentJson {
  readonly name: string;
  readonly principal: string;
  readonly sponsor: string;
  readonly credential: string;
  readonly budgets: Record<string, BudgetState & { readonly left: number | null }>;
  readonly last_call_at: string | null;
  readonly runs_in_progress: number;
  readonly pending_approvals: number;
  readonly tainted_until: string | null;
  readonly stopped: { readonly by: string; readonly why: string | null; readonly at: string } | null;
}

/** As the API and `--json` show it. */
export function overviewJson({ budgets, lastCallMs, taintedUntilMs, stopped, ...agent }: AgentOverview): AgentJson {
  return {
    name: agent.name,
    principal: agentId(agent.name),
    sponsor: agent.sponsor,
    credential: agent.credential,
    budgets: Object.fromEntries(Object.entries(budgets).map(([key, state]) => [key, { ...state, left: leftOf(state) }])),
    last_call_at: timeOf(lastCallMs),
    runs_in_progress: agent.runsInProgress,
    pending_approvals: agent.pendingApprovals,
    tainted_until: timeOf(taintedUntilMs),
    stopped: stopped === null ? null : { by: stopped.by, why: stopped.why, at: new Date(stopped.createdMs).toISOString() },
  };
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

export function leftOf({ most, used }: BudgetState): number | null {
  return used === null ? null : Math.max(0, most - used);
}
