// Shared pools and queues: a worker gets only the runs that its scope covers, and sees only those as holders of slots.
import { field, type JsonObject, withoutKeys } from '../../../contract/json/tree.ts';
import { answerList, answerObject, objectsField, textField, withJson } from '../../../prefect/client/answer.ts';
import type { UpstreamAnswer } from '../../../prefect/client/upstream.ts';
import { coveredIds } from '../../../prefect/scope-filter/covered-ids.ts';
import type { ScopeFilter } from '../../../prefect/scope-filter/scope-filter.ts';
import { wholeNumber } from '../field-changes.ts';
import { forwarded, type Narrow, narrowBody, refused } from './narrowed.ts';

/** `POST /work_pools/{name}/get_scheduled_flow_runs`: each item has a run, its pool and its queue. */
export const narrowPoolPoll = narrowRunPoll((item) => textField(field(item, 'flow_run'), 'id') ?? '');
/** `POST /work_queues/{id}/get_runs`. */
export const narrowQueuePoll = narrowRunPoll((item) => textField(item, 'id') ?? '');

/** The counts of slots include all runs. Only the runs of the scope are named. */
export const narrowSlots: Narrow = async (call, scopeFilter) =>
  forwarded(call.tree, async (answer) => {
    const status = answerObject(answer);
    if (status === null) return answer;
    const queues = objectsField(status, 'queues');
    const runs = [status, ...queues].flatMap((object) => objectsField(object, 'flow_runs'));
    const ids = runs.map((run) => textField(run, 'id') ?? '');
    const visibleIds = await coveredIds(scopeFilter, 'FlowRun', ids);
    const screened = (object: JsonObject): JsonObject =>
      field(object, 'flow_runs') === undefined
        ? object
        : { ...object, flow_runs: objectsField(object, 'flow_runs').filter((run) => visibleIds.has(textField(run, 'id') ?? '')) };
    return withJson(answer, { ...screened(status), ...(field(status, 'queues') !== undefined && { queues: queues.map(screened) }) });
  });

type IdOf = (item: JsonObject) => string;

/** Prefect's own limit of a page; it rejects a higher one. */
const MOST_RUNS = 200;

/** Lictor applies the client's limit itself: foreign runs at the front must not use it up. */
function narrowRunPoll(idOf: IdOf): Narrow {
  return narrowBody(async (body, scopeFilter, call) => {
    const asked = field(body, 'limit') ?? null;
    const given = wholeNumber(asked);
    // Prefect accepts "1" and true as numbers, and would count foreign runs.
    if (asked !== null && given === undefined) return refused({ code: 'body-invalid', detail: 'limit must be a whole number.' });
    const limit = given !== undefined && given >= 0 && given <= MOST_RUNS ? given : undefined;
    const tree = limit === undefined ? call.tree : withoutKeys(body, (key) => key === 'limit');
    return forwarded(tree, (answer) => covered({ scopeFilter, idOf, limit: limit ?? MOST_RUNS }, answer));
  });
}

interface Poll {
  readonly scopeFilter: ScopeFilter;
  readonly idOf: IdOf;
  readonly limit: number;
}

async function covered({ scopeFilter, idOf, limit }: Poll, answer: UpstreamAnswer): Promise<UpstreamAnswer> {
  const items = answerList(answer);
  if (items.length === 0) return answer;
  const visibleIds = await coveredIds(scopeFilter, 'FlowRun', items.map(idOf));
  return withJson(answer, items.filter((item) => visibleIds.has(idOf(item))).slice(0, limit));
}
