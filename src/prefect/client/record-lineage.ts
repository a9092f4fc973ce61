// Looks up the lineage of the runs and task runs that events name, before the event rules need it: those rules ask nobody.

import { field, isObject, type JsonValue } from '../../contract/json/tree.ts';
import { readClaims, uuidOf } from '../events/claims.ts';
import type { EventMemory } from '../events/memory.ts';
import { isBelow, type LineageMemory, type RunLineage } from './run-lineage.ts';

/** Resolves when the memory has all that Prefect knows of them. Throws UpstreamError when Prefect cannot be asked. */
export type RecordLineage = (events: readonly JsonValue[], own: string) => Promise<void>;

export interface RecordLineageParts {
  readonly lineage: RunLineage;
  readonly lineageMemory: LineageMemory;
  readonly eventMemory: Pick<EventMemory, 'flowRunOf' | 'noteTaskRun'>;
}

export function createRecordLineage({ lineage, lineageMemory, eventMemory }: RecordLineageParts): RecordLineage {
  return async (events, own) => {
    const names = events.map(namesIn);
    const runs = new Set(names.flatMap(({ runs: named }) => named));
    await Promise.all([...runs].filter((run) => !isBelow(lineageMemory, own, run)).map((run) => lineage.relation(own, run)));
    const tasks = new Set(names.flatMap(({ tasks: named }) => named).filter((task) => eventMemory.flowRunOf(task) === undefined));
    // A task run without a flow run does not belong to this run.
    for (const [task, run] of await lineage.flowRunsOf([...tasks])) eventMemory.noteTaskRun(task, run ?? '');
  };
}

interface Names {
  readonly runs: readonly string[];
  readonly tasks: readonly string[];
}

const FLOW_RUN = 'prefect.flow-run.';
const TASK_RUN = 'prefect.task-run.';

/** What is no event names nothing: the rules refuse it. */
function namesIn(event: JsonValue): Names {
  const claims = readClaims(event);
  if (typeof claims === 'string') return { runs: [], tasks: [] };
  const after = (prefix: string) => claims.resources.flatMap(({ id }) => (id.startsWith(prefix) ? (uuidOf(id.slice(prefix.length)) ?? []) : []));
  const task = field(claims.payload, 'task_run');
  const claimed = isObject(task) ? uuidOf(field(task, 'flow_run_id')) : undefined;
  return { runs: [...after(FLOW_RUN), ...(claimed === undefined ? [] : [claimed])], tasks: after(TASK_RUN) };
}
