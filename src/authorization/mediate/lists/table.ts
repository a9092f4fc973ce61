// How Lictor narrows each list of Prefect for a principal with scopes. It refuses a list without an entry here.
import type { Operation } from '../../../contract/operation.ts';
import { AUTOMATIONS, BLOCKS, LIMITS, TAG_LIMITS, VARIABLES, WORK_POOLS, WORK_QUEUES } from '../../../prefect/scope-filter/named.ts';
import type { Listed } from '../../../prefect/scope-filter/visible-filters.ts';
import { countDeploymentsOfFlows, narrowDeployments, narrowFlows, narrowPoll, nextRunsOfFlows } from './deployments.ts';
import { countEvents, narrowEvents, nextEvents } from './events.ts';
import { countNamed, filterAnswer, filterIds, narrowNamed, pageNamed } from './named.ts';
import { answered, forwarded, type Narrow } from './narrowed.ts';
import { narrowPoolPoll, narrowQueuePoll, narrowSlots } from './polls.ts';
import { countTasksOfRuns, narrowLogs, narrowRuns, state, statesOf } from './runs.ts';

const runs = narrowRuns(['flow_runs', 'flows', 'deployments', 'work_pools']);
const inRuns = narrowRuns(['flow_runs', 'flows', 'deployments']);
/** One covered object: narrow-request.ts screens the other objects that its answer names. */
const itself: Narrow = async ({ tree }) => forwarded(tree);
const emptyList: Narrow = async () => answered([]);

/** By method and path, as the catalogue has them. */
const LISTS: Readonly<Record<string, Narrow>> = {
  'GET /api/flow_runs/{id}': itself,
  'GET /api/flow_runs/{id}/graph': itself,
  'GET /api/flow_runs/{id}/graph-v2': itself,
  'GET /api/deployments/{id}': itself,
  'GET /api/deployments/name/{flow_name}/{deployment_name}': itself,
  'GET /api/deployments/{id}/work_queue_check': filterIds('WorkQueue'),
  'GET /api/deployments/{id}/schedules': itself,
  'GET /api/flows/{id}': itself,
  'GET /api/flows/name/{name}': itself,
  'GET /api/task_runs/{id}': itself,
  'GET /api/ui/task_runs/{id}': itself,
  'GET /api/concurrency_limits/{id}': itself,
  'GET /api/concurrency_limits/tag/{tag}': itself,
  'GET /api/v2/concurrency_limits/{id_or_name}': itself,
  'POST /api/flow_runs/filter': runs,
  'POST /api/flow_runs/paginate': runs,
  'POST /api/flow_runs/count': runs,
  'POST /api/flow_runs/history': runs,
  'POST /api/flow_runs/lateness': runs,
  'POST /api/ui/flow_runs/history': runs,
  'POST /api/ui/flow_runs/count-task-runs': countTasksOfRuns,
  'POST /api/task_runs/filter': inRuns,
  'POST /api/task_runs/paginate': inRuns,
  'POST /api/task_runs/count': inRuns,
  'POST /api/task_runs/history': inRuns,
  'POST /api/ui/task_runs/count': inRuns,
  // It accepts work_pools, but then answers 500 (3.9.1).
  'POST /api/ui/task_runs/dashboard/counts': inRuns,
  'POST /api/artifacts/filter': inRuns,
  'POST /api/artifacts/count': inRuns,
  'POST /api/artifacts/latest/filter': inRuns,
  'POST /api/artifacts/latest/count': inRuns,
  'POST /api/logs/filter': narrowLogs,
  'GET /api/flow_run_states/': statesOf('FlowRun', 'flow_run_id'),
  'GET /api/task_run_states/': statesOf('TaskRun', 'task_run_id'),
  'GET /api/flow_run_states/{id}': state('FlowRun', '/api/flow_run_states', 'flow_run_id'),
  'GET /api/task_run_states/{id}': state('TaskRun', '/api/task_run_states', 'task_run_id'),
  'POST /api/deployments/filter': narrowDeployments,
  'POST /api/deployments/paginate': narrowDeployments,
  'POST /api/deployments/count': narrowDeployments,
  'POST /api/deployments/get_scheduled_flow_runs': narrowPoll,
  'POST /api/work_pools/{name}/get_scheduled_flow_runs': narrowPoolPoll,
  'POST /api/work_queues/{id}/get_runs': narrowQueuePoll,
  'POST /api/work_pools/{name}/concurrency_status': narrowSlots,
  'POST /api/work_queues/{id}/concurrency_status': narrowSlots,
  'POST /api/flows/filter': narrowFlows,
  'POST /api/flows/paginate': narrowFlows,
  'POST /api/flows/count': narrowFlows,
  'POST /api/ui/flows/count-deployments': countDeploymentsOfFlows,
  'POST /api/ui/flows/next-runs': nextRunsOfFlows,
  'POST /api/work_pools/filter': narrowNamed(WORK_POOLS),
  'POST /api/work_pools/count': narrowNamed(WORK_POOLS),
  'POST /api/work_queues/filter': narrowNamed(WORK_QUEUES),
  'POST /api/variables/filter': narrowNamed(VARIABLES),
  'POST /api/variables/count': narrowNamed(VARIABLES),
  'POST /api/block_documents/filter': narrowNamed(BLOCKS),
  'POST /api/block_documents/count': narrowNamed(BLOCKS),
  'GET /api/block_types/slug/{slug}/block_documents': filterAnswer(BLOCKS),
  'POST /api/automations/filter': pageNamed(AUTOMATIONS),
  'POST /api/automations/count': countNamed(AUTOMATIONS),
  'GET /api/automations/related-to/{resource_id}': filterAnswer(AUTOMATIONS),
  'POST /api/v2/concurrency_limits/filter': pageNamed(LIMITS),
  'POST /api/concurrency_limits/filter': pageNamed(TAG_LIMITS),
  'POST /api/events/filter': narrowEvents,
  'GET /api/events/filter/next': nextEvents,
  'POST /api/events/count-by/{countable}': countEvents,
  // No key of a scope covers saved searches.
  'POST /api/saved_searches/filter': emptyList,
};

export function narrowOf({ method, path }: Operation): Narrow | undefined {
  const key = `${method} ${path}`;
  return Object.hasOwn(LISTS, key) ? LISTS[key] : undefined;
}

/** The objects in a list. Undefined: its body has no filters of Prefect's objects, or events.ts reads them. */
export function listedBy({ method, path }: Operation): Listed | undefined {
  const [, kind = ''] = /^\/api\/(?:ui\/|v2\/)?([a-z_]+)\//.exec(path) ?? [];
  if (method !== 'POST' || kind === 'events') return undefined;
  if (kind === 'flow_runs' || kind === 'task_runs' || kind === 'artifacts') return 'runs';
  return kind === 'deployments' || kind === 'flows' ? kind : 'named';
}
