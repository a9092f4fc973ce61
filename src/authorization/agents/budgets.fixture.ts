// For tests: the budgets of agents on a real store, and requests of an agent or of a run below it through a real mediator.
import type { Agent, AgentBudgets } from '../../config/config.ts';
import type { Operation } from '../../contract/operation.ts';
import { agentId, type Principal } from '../../contract/principal.ts';
import { everywhere } from '../../contract/scope.ts';
import { openTestStore } from '../../identity/authn/store.fixture.ts';
import { createLookup } from '../../prefect/client/lookup.ts';
import type { UpstreamAnswer, UpstreamRequest } from '../../prefect/client/upstream.ts';
import { type Condition, createConditions } from '../mediate/conditions.ts';
import { json, type Options, startMediator } from '../mediate/mediator.fixture.ts';
import { createAgentBook } from './agent-book.ts';
import { createCallBudgets } from './call-budgets.ts';
import { createRunBudgets } from './run-budgets.ts';
import { createWindows } from './windows.ts';

const UNBOUNDED: AgentBudgets = { callsPerMinute: null, runsPerHour: null, concurrentRuns: null, descendants: null, bytesPerHour: null };

export function anAgent(budgets: Partial<AgentBudgets> = {}, further: Partial<Agent> = {}): Agent {
  const sponsor = { name: 'alice', idp: 'corp' };
  return {
    name: 'copilot',
    sponsor,
    credential: { kind: 'token' },
    grants: [],
    parameters: [],
    budgets: { ...UNBOUNDED, ...budgets },
    taint: 'allow',
    ...further,
  };
}

/** A request that no handler reads. Conditions look at nothing else of it. */
export const DIRECT = { taken: 'direct' } as Operation;

export const AS_AGENT: Partial<Principal> = { id: agentId('copilot'), kind: 'agent', onBehalfOf: ['alice@corp'] };

/** The chain agent:helper -> agent:copilot -> alice: the bounds of both agents hold. */
export const AS_HELPER: Partial<Principal> = {
  id: agentId('helper'),
  kind: 'agent',
  onBehalfOf: [agentId('copilot'), 'alice@corp'],
  limitedBy: [
    { idp: null, roles: [], grants: everywhere(['agent']), groups: [], attributes: {}, onBehalfOf: [], ...AS_AGENT, id: agentId('copilot'), kind: 'agent' },
  ],
};

export type Prefect = (request: UpstreamRequest) => Partial<UpstreamAnswer> | Error;

/** States of runs by id, as Prefect's filter answers them. Each POST creates the next run. */
export function prefectOfRuns(states: Map<string, string>, answer: Prefect = () => ({})): Prefect {
  let made = 0;
  return (request) => {
    if (request.path === '/api/flow_runs/filter') {
      const { any_: ids } = JSON.parse(request.body?.toString() ?? '').flow_runs.id as { any_: readonly string[] };
      return { body: json(ids.flatMap((id) => (states.has(id) ? [{ id, state_type: states.get(id) }] : []))) };
    }
    if (!request.path.endsWith('/create_flow_run')) return answer(request);
    made += 1;
    const id = `run-${made}`;
    states.set(id, 'SCHEDULED');
    return { status: 201, body: json({ id }) };
  };
}

export interface Under {
  readonly agents: readonly Agent[];
  readonly prefect?: Prefect;
  readonly further?: readonly Condition[];
}

export async function openBudgets({ agents, prefect = () => ({}), further = [] }: Under) {
  const home = await openTestStore();
  const book = createAgentBook(agents);
  const open = () => {
    const parts = { clock: home.clock, steady: home.steady };
    const windows = createWindows({ uses: home.store.agentUses, ...parts });
    const asked: string[] = [];
    const upstream = {
      async request(request: UpstreamRequest): Promise<UpstreamAnswer> {
        asked.push(request.path);
        const answer = prefect(request);
        if (answer instanceof Error) throw answer;
        return { status: 200, headers: {}, body: json({}), upstreamMs: 1, ...answer };
      },
    };
    const calls = createCallBudgets({ book, windows });
    const runs = createRunBudgets({ book, windows, runs: home.store.agentRuns, lookup: createLookup(upstream), ...parts });
    const conditions = createConditions([calls, runs, ...further]);
    const as = (principal: Partial<Principal>, options: Options = {}) =>
      startMediator({ prefect: (request) => prefect(request), ...options, principal, parts: { conditions, ...options.parts } });
    return { calls, runs, conditions, as, asked };
  };
  return { home, open, ...open() };
}
