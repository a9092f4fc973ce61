// Finds the flow run of a sub-flow: Prefect's events name only the task run that started the sub-flow.
import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../../contract/cache-limit.ts';
import type { PrefectEvent } from '../../../contract/prefect-event.ts';
import { stableId } from '../../ledger/append.ts';

/** A result is stored as an event that names the task run and its flow run. */
export const LEARNED_PARENT = 'lictor.task-run.is-of-flow-run';

const MOST = 5_000;
/** In one round. Lictor also stops asking for a task run that Prefect does not know. */
const AT_ONCE = 50;
const MOST_TRIES = 10;

export interface Parents {
  note(event: PrefectEvent): void;
  /** Asks for the open ones. Those without an answer are asked for at the next call. */
  learn(ask: (taskRunId: string) => Promise<string | undefined>, take: (events: readonly PrefectEvent[]) => Promise<void>): Promise<void>;
}

export function createParents(): Parents {
  /** `occurred` is that of the first event. `tries` is 0 when the flow run is known. */
  /** `occurred` is that of the first event. `tries` is 0 when the flow run is known. */
  const tasks = new LRUCache<string, { readonly occurred: string; tries: number }>(atMostEntries(MOST));
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
