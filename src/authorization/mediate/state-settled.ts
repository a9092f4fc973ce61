// A state that Prefect has taken: it begins the token of a run, or ends it.
import { field, isObject, type JsonObject } from '../../contract/json/tree.ts';
import { answerObject, objectsField, textField } from '../../prefect/client/answer.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import type { Asker } from './family.ts';
import type { RunParts } from './run-parts.ts';

interface Settled {
  readonly answer: UpstreamAnswer;
  readonly asker: Asker;
  readonly flowRunId: string | null;
}

export async function stateSettled(runs: RunParts | undefined, { answer, asker, flowRunId }: Settled): Promise<UpstreamAnswer> {
  if (runs !== undefined && flowRunId !== null && answer.status < 300) await applyState(runs, asker, flowRunId, answerObject(answer));
  return answer;
}

/** The answer of many at once has a result for each. */
export async function statesSettled(runs: RunParts | undefined, answer: UpstreamAnswer, asker: Asker): Promise<UpstreamAnswer> {
  const results = runs === undefined || answer.status >= 300 ? [] : objectsField(answerObject(answer), 'results');
  for (const result of results) {
    const flowRunId = textField(result, 'flow_run_id');
    if (runs !== undefined && flowRunId !== null) await applyState(runs, asker, flowRunId, result);
  }
  return answer;
}

/**
 * ACCEPT: the state that was asked for; REJECT: another one in its place; WAIT and ABORT change nothing. Prefect has acted: a client that
 * is told otherwise would ask for a state that the run has already. A run whose token was not begun is refused, and ends visibly.
 */
async function applyState(runs: RunParts, by: Asker, flowRunId: string, result: JsonObject | null): Promise<void> {
  const state = field(result, 'state');
  const type = isObject(state) ? textField(state, 'type') : null;
  const status = textField(result, 'status');
  if (type === null || (status !== 'ACCEPT' && status !== 'REJECT')) return;
  try {
    await runs.desk.stateSet({ flowRunId, type, accepted: status === 'ACCEPT', by });
  } catch (error) {
    runs.warn('what a state means for the token of its run could not be noted', error);
  }
}
