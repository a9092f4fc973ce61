// Creations that bring back a run which was there: Prefect gives whoever has its idempotency key the whole run, so reading it is decided here.
import type { EdgeInputs } from '../../contract/inputs.ts';
import { field, isObject } from '../../contract/json/tree.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import type { Ask, Decider } from '../decide/decider.ts';
import type { Lookup, Plan, Refusal } from './family.ts';

export interface EarlierParts {
  readonly decider: Pick<Decider, 'authorizeNow'>;
  readonly lookup: Lookup;
  readonly inputs: EdgeInputs;
}

/** What may go out of the answer. Throws UpstreamError when that cannot be told. */
export async function withoutForeign(parts: EarlierParts, { earlier }: Pick<Plan, 'earlier'>, answer: UpstreamAnswer): Promise<UpstreamAnswer | Refusal> {
  const runs = [...new Set(earlier?.runs(answer) ?? [])];
  const hidden = await Promise.all(runs.map(async (id) => ((await isShown(parts, id)) ? [] : [id])));
  const foreign = new Set(hidden.flat());
  return earlier === undefined || foreign.size === 0 ? answer : earlier.without(answer, foreign);
}

async function isShown({ decider, lookup, inputs }: EarlierParts, id: string): Promise<boolean> {
  const ask: Ask = { action: 'flow_runs.read', resource: { type: 'FlowRun', id } };
  const answer = await decider.authorizeNow(inputs, [ask]);
  if (answer.ok && answer.restriction === null) return true;
  // Bulk answers do not tell a new run from an earlier one. The label is the gateway's own, and says which request has made the run.
  const run = id === '' ? null : await lookup(`/api/flow_runs/${id}`);
  const labels = field(run, 'labels');
  return isObject(labels) && field(labels, 'lictor.request_id') === inputs.requestId;
}
