// Looks up the lineage of the runs and task runs that events name, because the event rules themselves send no requests.

import { field, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import { readClaims } from '../events/claims.ts';
import type { EventMemory } from '../events/memory.ts';
import { isBelow, type LineageMemory, type RunLineage } from './run-lineage.ts';

/** Resolves when the memory has the lineage that Prefect knows. Throws UpstreamError when Prefect does not answer. */
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

/** An invalid event names nothing: the rules refuse it. */
function namesIn(event: JsonValue): Names {
  const claims = readClaims(event);
  if (typeof claims === 'string') return { runs: [], tasks: [] };
  const after = (prefix: string) => claims.resources.flatMap(({ id }) => (id.startsWith(prefix) ? (parseUuid(id.slice(prefix.length)) ?? []) : []));
  const claimed = parseUuid(field(field(claims.payload, 'task_run'), 'flow_run_id'));
  return { runs: [...after(FLOW_RUN), ...(claimed === undefined ? [] : [claimed])], tasks: after(TASK_RUN) };
}
