// In which flow run a sub-flow's task run is: Prefect relates a sub-flow to the task run alone, and tells nothing more about that one.
import { LRUCache } from 'lru-cache';
import type { PrefectEvent } from '../../../contract/prefect-event.ts';
import { stableId } from '../../ledger/append.ts';

/** What was learned is stored like an event: the id of the task run, and of its flow run. */
export const LEARNED_PARENT = 'lictor.task-run.is-of-flow-run';

const MOST = 5_000;
/** In one round; and a task run that Prefect does not know is not asked for without end. */
const AT_ONCE = 50;
const MOST_TRIES = 10;

export interface Parents {
  note(event: PrefectEvent): void;
  /** Asks for those that are not known yet; what cannot be told now is asked for with the next call. */
  learn(ask: (taskRunId: string) => Promise<string | undefined>, take: (events: readonly PrefectEvent[]) => Promise<void>): Promise<void>;
}

export function createParents(): Parents {
  /** `occurred` of the first event; no tries are left when it is known. */
  const tasks = new LRUCache<string, { readonly occurred: string; tries: number }>({ max: MOST });
  return {
    note({ parent_task_run_id: task, occurred }) {
      if (task === null || tasks.has(task)) return;
      tasks.set(task, { occurred, tries: MOST_TRIES });
    },
    async learn(ask, take) {
      const open = tasks
        .dump()
        .filter(([, { value }]) => value.tries > 0)
        .slice(0, AT_ONCE);
      for (const [task, { value: known }] of open) {
        const flowRun = await ask(task);
        known.tries = flowRun === undefined ? known.tries - 1 : 0;
        if (flowRun !== undefined) await take([learned(task, flowRun, known.occurred)]);
      }
    },
  };
}

function learned(task: string, flowRun: string, occurred: string): PrefectEvent {
  return {
    id: stableId(LEARNED_PARENT, task),
    ...{ occurred, received: null, event: LEARNED_PARENT },
    ...{ resource_id: `prefect.task-run.${task}`, resource_name: null, state_type: null, state_name: null },
    ...{ flow_run_id: flowRun, task_run_id: task, deployment_id: null, parent_task_run_id: null, follows: null, related: [] },
  };
}
