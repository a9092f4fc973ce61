// Cancels the runs of an agent that have not ended, and the runs below them, with the gateway's own credential.
import { field, isBlank, type JsonObject } from '../../contract/json/tree.ts';
import { answerObject, textField } from '../../prefect/client/answer.ts';
import { createLookup, post } from '../../prefect/client/lookup.ts';
import type { Upstream } from '../../prefect/client/upstream.ts';
import type { AgentRuns } from '../../store/agent-runs.ts';
import { hasChanged } from '../mediate/set-state.ts';
import { unfinishedOf } from './run-states.ts';

export interface CancelParts {
  readonly runs: Pick<AgentRuns, 'unfinished'>;
  readonly upstream: Pick<Upstream, 'request'>;
  /** Called for each run that Prefect cancels. */
  readonly onCancelled: (flowRunId: string) => void;
}

/** A request that Lictor forwarded just before the stop may add a run. */
const MOST_ROUNDS = 5;

/** Call it when the agent is stopped. Answers the runs that Prefect did not cancel. Throws UpstreamError when Prefect does not answer. */
export async function cancelRuns({ runs, upstream, onCancelled }: CancelParts, agent: string): Promise<readonly string[]> {
  const seen = new Set<string>();
  const failed: string[] = [];
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const ids = (await runs.unfinished(agent)).map(({ id }) => id).filter((id) => !seen.has(id));
    if (ids.length === 0) break;
    for (const id of ids) seen.add(id);
    for (const run of await unfinishedOf(createLookup(upstream), ids)) {
      const id = textField(run, 'id') ?? '';
      if (await cancel(upstream, agent, { id, run })) onCancelled(id);
      else failed.push(id);
    }
  }
  return failed;
}

/** A worker ends a run of a deployment. Nothing but its parent ends a sub-flow, so it is cancelled at once. */
async function cancel(upstream: CancelParts['upstream'], agent: string, { id, run }: { readonly id: string; readonly run: JsonObject }): Promise<boolean> {
  const isSubflow = isBlank(field(run, 'deployment_id'));
  const state = { type: isSubflow ? 'CANCELLED' : 'CANCELLING', message: `The agent ${agent} was stopped.` };
  const answer = await post(upstream, `/api/flow_runs/${id}/set_state`, { state, force: isSubflow });
  return answer.status < 300 && hasChanged(answerObject(answer));
}
