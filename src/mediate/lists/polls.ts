// What a worker is handed out: the runs that its scope covers, whatever is in the pool or fits an old queue's filter.
import { field, isObject, type JsonObject, type JsonValue, withoutKeys } from '../../json/tree.ts';
import { answerList, textField, withJson } from '../../prefect/answer.ts';
import type { UpstreamAnswer } from '../../prefect/upstream.ts';
import { coveredIds } from '../../reach/covered-ids.ts';
import type { Reach } from '../../reach/reach.ts';
import { wholeNumber } from '../changes.ts';
import { bodyOf, type Narrow, NO_OBJECT, refused } from './narrow.ts';

/** `POST /work_pools/{name}/get_scheduled_flow_runs`: runs beside the pool and queue that they are in. */
export const narrowPoolPoll = handingOut((item) => field(item, 'flow_run'));
/** `POST /work_queues/{id}/get_runs`. */
export const narrowQueuePoll = handingOut((item) => item);

type RunOf = (item: JsonObject) => JsonValue | undefined;

/** Prefect's own limit of a page; it refuses more. */
const MOST_RUNS = 200;

/** The client's limit counts what is handed out: runs of others, which come first, must not keep its own away. */
function handingOut(runOf: RunOf): Narrow {
  return async (call, reach) => {
    const body = bodyOf(call);
    if (body === undefined) return refused(NO_OBJECT);
    const given = wholeNumber(field(body, 'limit'));
    const limit = given !== undefined && given >= 0 && given <= MOST_RUNS ? given : undefined;
    const tree = limit === undefined ? call.tree : withoutKeys(body, (key) => key === 'limit');
    return { ok: true, forward: true, tree, reply: (answer) => covered({ reach, runOf, limit: limit ?? MOST_RUNS }, answer) };
  };
}

interface Hand {
  readonly reach: Reach;
  readonly runOf: RunOf;
  readonly limit: number;
}

async function covered({ reach, runOf, limit }: Hand, answer: UpstreamAnswer): Promise<UpstreamAnswer> {
  const items = answer.status === 200 ? answerList(answer) : [];
  if (items.length === 0) return answer;
  const idOf = (item: JsonObject): string => {
    const run = runOf(item);
    return (isObject(run) ? textField(run, 'id') : null) ?? '';
  };
  const reached = await coveredIds(reach, 'FlowRun', items.map(idOf));
  return withJson(answer, items.filter((item) => reached.has(idOf(item))).slice(0, limit));
}
