// The budgets of an agent for runs: in an hour, in progress at once, and below each run that it started.
//
// A retry and a resume count as starts. An agent with a budget of runs writes no schedule and no automation that starts runs.
import type { Agent } from '../../config/config.ts';
import type { Clock, SteadyClock } from '../../contract/clock.ts';
import type { Lookup } from '../../prefect/client/lookup.ts';
import type { AgentRuns } from '../../store/agent-runs.ts';
import type { NewUse } from '../../store/agent-uses.ts';
import type { Condition, PermittedRequest, RequestOutcome, Verdict } from '../mediate/conditions.ts';
import { asksOf, type Refusal, type Starts } from '../mediate/handler.ts';
import type { AgentBook, RunTree } from './agent-book.ts';
import { overBudget } from './over-budget.ts';
import { createRunStates, type RunStates } from './run-states.ts';
import type { Windows } from './windows.ts';

export interface RunBudgetParts {
  readonly book: AgentBook;
  readonly windows: Windows;
  readonly runs: Pick<AgentRuns, 'reserve' | 'begin' | 'unfinished' | 'end'>;
  readonly lookup: Lookup;
  readonly clock: Clock;
  readonly steady: SteadyClock;
}

const PASSED: Verdict = { ok: true };

/** No budget says when a run in progress ends. */
const RETRY_RUNS_MS = 10_000;

/** Prefect's label has as many initiators. A longer chain would lose the agent at its end. */
const LONGEST_CHAIN = 20;

export function createRunBudgets(given: RunBudgetParts): Condition {
  const { book } = given;
  const parts: RunParts = { ...given, states: createRunStates(given) };
  return {
    concerns: (principal) => book.of(principal).length > 0 || book.above(principal).length > 0,
    reads: ({ taken }) => taken === 'mediated',
    async check(request) {
      const { plan, authorization } = request;
      const { principal } = authorization;
      const agents = book.of(principal);
      if (plan.starts === undefined) {
        return agents.some(hasRunBudget) && startsLater(request) ? { ok: false, refusal: { code: 'starts-uncounted' } } : PASSED;
      }
      if (agents.length > 0) return reserveOwn(parts, agents, plan.starts);
      // The flow decides whether its runs are retried: only new ones count.
      if (!plan.starts.areNew) return PASSED;
      const isCut = 1 + principal.onBehalfOf.length > LONGEST_CHAIN;
      return isCut ? { ok: false, refusal: { code: 'descendants-exceeded' } } : reserveBelow(parts, book.above(principal), plan.starts);
    },
  };
}

function hasRunBudget({ budgets: { runsPerHour, concurrentRuns } }: Agent): boolean {
  return runsPerHour !== null || concurrentRuns !== null;
}

const STARTING = ['deployments.run', 'deployments.schedule.write', 'deployments.schedule_runs', 'flow_runs.create', 'flow_runs.retry', 'flow_runs.resume'];

/** True for schedules, and for automations that start runs. */
function startsLater({ call, plan }: PermittedRequest): boolean {
  if (call.operation.method === 'DELETE') return false;
  return asksOf(call, plan.asks).some(({ action, facts }) => STARTING.includes(action) || facts?.['schedules'] === true);
}

interface RunParts extends RunBudgetParts {
  readonly states: RunStates;
}

async function reserveOwn(parts: RunParts, agents: readonly Agent[], starts: Starts): Promise<Verdict> {
  const wanted = agents.map(({ name: agent, budgets }): NewUse => ({ agent, kind: 'runs', amount: starts.count, most: budgets.runsPerHour }));
  const taken = await parts.windows.take(wanted);
  if (!taken.ok) return taken;
  const uses = wanted.map((use) => ({ use, atMs: taken.atMs }));
  const trees = agents.map((agent) => ({ agent, root: null, most: agent.budgets.concurrentRuns }));
  return reserveEach(parts, { starts, uses, trees }, async (agent, reserve) => {
    await parts.states.refresh(agent);
    return reserve();
  });
}

function reserveBelow(parts: RunParts, below: readonly RunTree[], starts: Starts): Promise<Verdict> {
  const trees = below.map(({ agent, root }) => ({ agent, root, most: agent.budgets.descendants }));
  return reserveEach(parts, { starts, uses: [], trees }, async () => undefined);
}

interface Wanted {
  readonly starts: Starts;
  readonly uses: readonly { readonly use: NewUse; readonly atMs: number }[];
  readonly trees: readonly { readonly agent: Agent; readonly root: string | null; readonly most: number | null }[];
}

type Reserved = readonly string[] | undefined;

/** `again`: what to try where the first attempt does not fit. */
async function reserveEach(parts: RunParts, wanted: Wanted, again: (agent: string, reserve: () => Promise<Reserved>) => Promise<Reserved>): Promise<Verdict> {
  const { starts, uses } = wanted;
  const trees: Held['trees'][number][] = [];
  const held: Held = { starts, uses, trees };
  try {
    for (const { agent, root, most } of wanted.trees) {
      const reserve = () => parts.runs.reserve({ agent: agent.name, root, count: starts.count, most });
      const reserved = (await reserve()) ?? (await again(agent.name, reserve));
      if (reserved === undefined) {
        await settle(parts, held, NOT_SENT);
        return { ok: false, refusal: root === null ? tooManyAtOnce(agent, starts.count) : tooManyBelow(agent, root) };
      }
      trees.push({ agent: agent.name, root, reserved });
    }
  } catch (error) {
    await settle(parts, held, NOT_SENT);
    throw error;
  }
  return { ok: true, settle: (outcome) => settle(parts, held, outcome) };
}

function tooManyAtOnce({ name: agent, budgets: { concurrentRuns } }: Agent, asked: number): Refusal {
  return overBudget({ agent, budget: 'concurrent_runs', most: concurrentRuns ?? 0, asked, waitMs: RETRY_RUNS_MS });
}

function tooManyBelow({ name, budgets: { descendants } }: Agent, root: string): Refusal {
  return { code: 'descendants-exceeded', detail: `The runs below the run ${root} of the agent ${name} have used its budget descendants: ${descendants ?? 0}.` };
}

interface Held extends Pick<Wanted, 'starts' | 'uses'> {
  readonly trees: readonly { readonly agent: string; readonly root: string | null; readonly reserved: readonly string[] }[];
}

const NOT_SENT: RequestOutcome = { kind: 'not-sent', bytes: 0 };

/** A proxy before Prefect got no answer. Prefect itself answers 500 and 503 when it has changed nothing. */
const UNKNOWN_STATUSES = [502, 504];

/** What Prefect has not started is free again. Without an answer of Prefect, it may have started all. */
async function settle({ runs, windows, states }: RunParts, { starts, trees, uses: taken }: Held, outcome: RequestOutcome): Promise<void> {
  if (outcome.kind === 'unknown' || (outcome.kind === 'answered' && UNKNOWN_STATUSES.includes(outcome.answer.status))) return;
  const ids = outcome.kind === 'answered' ? starts.started(outcome.answer) : [];
  for (const { agent, root, reserved } of trees) await runs.begin(reserved, { agent, root, ids });
  const amount = starts.count - ids.length;
  if (amount > 0) for (const { use, atMs } of taken) await windows.giveBack({ ...use, amount }, atMs);
  for (const { agent } of trees) await states.added(agent, ids.length);
}
