// Before the token of a run says events: whose the runs and task runs are that they name, so that the rules know it without asking.
import { readClaims, uuidOf } from '../events/claims.ts';
import type { EventMemory } from '../events/memory.ts';
import { field, isObject, type JsonValue } from '../json/tree.ts';
import { isBelow, type Kin, type KinMemory } from './kin.ts';

/** Resolves when everything is known that Prefect knows. Throws UpstreamError when it cannot be asked. */
export type LearnKin = (events: readonly JsonValue[], own: string) => Promise<void>;

export interface LearnKinParts {
  readonly kin: Kin;
  readonly kinMemory: KinMemory;
  readonly eventMemory: Pick<EventMemory, 'flowRunOf' | 'noteTaskRun'>;
}

export function createLearnKin({ kin, kinMemory, eventMemory }: LearnKinParts): LearnKin {
  return async (events, own) => {
    const names = events.map(namesIn);
    const runs = new Set(names.flatMap(({ runs: named }) => named));
    await Promise.all([...runs].filter((run) => !isBelow(kinMemory, own, run)).map((run) => kin.relation(own, run)));
    const tasks = new Set(names.flatMap(({ tasks: named }) => named).filter((task) => eventMemory.flowRunOf(task) === undefined));
    // A task run of no run is none of this one's.
    for (const [task, run] of await kin.flowRunsOf([...tasks])) eventMemory.noteTaskRun(task, run ?? '');
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
