// Pools and queues that others use too: a worker is handed out the runs that its scope covers, and those alone are named as holders of slots.
import { field, isObject, type JsonObject, type JsonValue, withoutKeys } from '../../../contract/json/tree.ts';
import { answerList, answerObject, objectsField, textField, withJson } from '../../../prefect/client/answer.ts';
import type { UpstreamAnswer } from '../../../prefect/client/upstream.ts';
import { coveredIds } from '../../../prefect/scope-filter/covered-ids.ts';
import type { ScopeFilter } from '../../../prefect/scope-filter/scope-filter.ts';
import { wholeNumber } from '../changes.ts';
import { bodyOf, type Narrow, NO_OBJECT, refused } from './narrow.ts';

/** `POST /work_pools/{name}/get_scheduled_flow_runs`: runs beside the pool and queue that they are in. */
export const narrowPoolPoll = handingOut((item) => field(item, 'flow_run'));
/** `POST /work_queues/{id}/get_runs`. */
export const narrowQueuePoll = handingOut((item) => item);

/** Slots are counted for all who share them; only the runs of the scope are named. */
export const narrowSlots: Narrow = async (call, scopeFilter) => ({
  ok: true,
  forward: true,
  tree: call.tree,
  async reply(answer) {
    const status = answer.status === 200 ? answerObject(answer) : null;
    if (status === null) return answer;
    const queues = objectsField(status, 'queues');
    const runs = [status, ...queues].flatMap((object) => objectsField(object, 'flow_runs'));
    const visibleIds = await coveredIds(
      scopeFilter,
      'FlowRun',
      runs.map((run) => textField(run, 'id') ?? ''),
    );
    const screened = (object: JsonObject): JsonObject =>
      field(object, 'flow_runs') === undefined
        ? object
        : { ...object, flow_runs: objectsField(object, 'flow_runs').filter((run) => visibleIds.has(textField(run, 'id') ?? '')) };
    return withJson(answer, { ...screened(status), ...(field(status, 'queues') !== undefined && { queues: queues.map(screened) }) });
  },
});

type RunOf = (item: JsonObject) => JsonValue | undefined;

/** Prefect's own limit of a page; it refuses more. */
const MOST_RUNS = 200;

/** The client's limit counts what is handed out: runs of others, which come first, must not keep its own away. */
function handingOut(runOf: RunOf): Narrow {
  return async (call, scopeFilter) => {
    const body = bodyOf(call);
    if (body === undefined) return refused(NO_OBJECT);
    const asked = field(body, 'limit') ?? null;
    const given = wholeNumber(asked);
    // Prefect takes "1" and true for numbers, and would count the runs of others with them.
    if (asked !== null && given === undefined) return refused({ code: 'body-invalid', detail: 'limit must be a whole number.' });
    const limit = given !== undefined && given >= 0 && given <= MOST_RUNS ? given : undefined;
    const tree = limit === undefined ? call.tree : withoutKeys(body, (key) => key === 'limit');
    return { ok: true, forward: true, tree, reply: (answer) => covered({ scopeFilter, runOf, limit: limit ?? MOST_RUNS }, answer) };
  };
}

interface Hand {
  readonly scopeFilter: ScopeFilter;
  readonly runOf: RunOf;
  readonly limit: number;
}

async function covered({ scopeFilter, runOf, limit }: Hand, answer: UpstreamAnswer): Promise<UpstreamAnswer> {
  const items = answer.status === 200 ? answerList(answer) : [];
  if (items.length === 0) return answer;
  const idOf = (item: JsonObject): string => {
    const run = runOf(item);
    return (isObject(run) ? textField(run, 'id') : null) ?? '';
  };
  const visibleIds = await coveredIds(scopeFilter, 'FlowRun', items.map(idOf));
  return withJson(answer, items.filter((item) => visibleIds.has(idOf(item))).slice(0, limit));
}
