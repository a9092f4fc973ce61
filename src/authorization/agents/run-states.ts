// Which runs of an agent have ended, by Prefect's present answer.
import type { Clock, SteadyClock } from '../../contract/clock.ts';
import { field, isList, type JsonObject, objectsIn } from '../../contract/json/tree.ts';
import { textField } from '../../prefect/client/answer.ts';
import type { Lookup } from '../../prefect/client/lookup.ts';
import { isTerminal } from '../../prefect/client/states.ts';
import { UpstreamError } from '../../prefect/client/upstream-error.ts';
import type { AgentRuns } from '../../store/agent-runs.ts';

export interface RunStateParts {
  readonly runs: Pick<AgentRuns, 'unfinished' | 'end'>;
  readonly lookup: Lookup;
  readonly clock: Clock;
  readonly steady: SteadyClock;
}

/** So many new runs of an agent without a bound on runs in progress: then Lictor forgets those that have ended. */
const MANY = 100;
/** An agent may ask often. Prefect is asked once a second for each agent. */
const EVERY_MS = 1_000;
/** Prefect's own limit of a page. */
const PAGE = 200;

export interface RunStates {
  /** Marks those that have ended. Throws UpstreamError when Prefect does not answer. */
  refresh(agent: string): Promise<void>;
  /** To be called after so many runs were stored. */
  added(agent: string, count: number): Promise<void>;
}

export function createRunStates(parts: RunStateParts): RunStates {
  const asked = new Map<string, { readonly atMs: number; readonly done: Promise<void> }>();
  const since = new Map<string, number>();
  const refresh = (agent: string): Promise<void> => {
    const last = asked.get(agent);
    if (last !== undefined && parts.steady() - last.atMs < EVERY_MS) return last.done;
    const done = endThose(parts, agent);
    asked.set(agent, { atMs: parts.steady(), done });
    return done;
  };
  return {
    refresh,
    async added(agent, count) {
      const sum = (since.get(agent) ?? 0) + count;
      since.set(agent, sum % MANY);
      if (sum >= MANY) await refresh(agent);
    },
  };
}

async function endThose({ runs, lookup, clock }: RunStateParts, agent: string): Promise<void> {
  const asOfMs = clock();
  const ids = (await runs.unfinished(agent)).map(({ id }) => id);
  const going = new Set((await unfinishedOf(lookup, ids)).map((run) => textField(run, 'id')));
  await runs.end(
    agent,
    ids.filter((id) => !going.has(id)),
    asOfMs,
  );
}

/** Prefect's objects of those runs that exist and have not ended. Throws UpstreamError when Prefect does not answer. */
export async function unfinishedOf(lookup: Lookup, ids: readonly string[]): Promise<readonly JsonObject[]> {
  const found: JsonObject[] = [];
  for (let at = 0; at < ids.length; at += PAGE) {
    const page = await lookup('/api/flow_runs/filter', { flow_runs: { id: { any_: ids.slice(at, at + PAGE) } }, limit: PAGE });
    // Nothing is known of these runs, and they must not count as ended.
    if (!isList(page)) throw new UpstreamError('upstream-unavailable', { forwarded: false, detail: 'Prefect does not take a filter of runs' });
    found.push(...objectsIn(page));
  }
  return found.filter((run) => !isTerminal(field(run, 'state_type')));
}
