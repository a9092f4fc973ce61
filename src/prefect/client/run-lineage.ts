// The lineage of flow runs, by their parent task run and by Lictor's label. Lineage never changes.
import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../contract/cache-limit.ts';
import { field, isObject, objectsIn } from '../../contract/json/tree.ts';
import { textField } from './answer.ts';
import { startingRun } from './initiators.ts';
import type { Lookup } from './lookup.ts';

/** `absent`: Prefect has no such run. */
export type Relation = 'own' | 'descendant' | 'ancestor' | 'foreign' | 'absent';

export interface RunLineage {
  /** The relation of `run` to `own`. Throws UpstreamError when Prefect does not answer. */
  relation(own: string, run: string): Promise<Relation>;
  /** The flow run of each task run that exists; null: it has none. */
  flowRunsOf(taskRuns: readonly string[]): Promise<ReadonlyMap<string, string | null>>;
  /** The flow run of an artifact; null: it has none; undefined: the artifact does not exist. */
  flowRunOfArtifact(id: string): Promise<string | null | undefined>;
}

/** Runs with their parents, and task runs with their flow runs: about 20 MiB. */
export interface LineageMemory {
  readonly runs: LRUCache<string, readonly string[]>;
  readonly tasks: LRUCache<string, { readonly flowRunId: string | null }>;
}

export function createLineageMemory(): LineageMemory {
  return { runs: new LRUCache(atMostEntries(CACHED)), tasks: new LRUCache(atMostEntries(CACHED)) };
}

const CACHED = 50_000;
const DEEPEST = 20;
/** Prefect's own limit of a page. */
const PAGE = 200;

export function createRunLineage(lookup: Lookup, memory: LineageMemory): RunLineage {
  const flowRunsOf: RunLineage['flowRunsOf'] = async (taskRuns) => {
    const unknown = taskRuns.filter((task) => !memory.tasks.has(task));
    for (let at = 0; at < unknown.length; at += PAGE) {
      const found = await lookup('/api/task_runs/filter', { task_runs: { id: { any_: unknown.slice(at, at + PAGE) } }, limit: PAGE });
      for (const item of objectsIn(found)) memory.tasks.set(String(field(item, 'id')), { flowRunId: textField(item, 'flow_run_id') });
    }
    return new Map(
      taskRuns.flatMap((task) => {
        const known = memory.tasks.get(task);
        return known === undefined ? [] : [[task, known.flowRunId] as const];
      }),
    );
  };
  /** Undefined: the run does not exist. */
  const parentsOf = async (run: string): Promise<readonly string[] | undefined> => {
    const known = memory.runs.get(run);
    if (known !== undefined) return known;
    const found = await lookup(`/api/flow_runs/${run}`);
    if (!isObject(found)) return undefined;
    const above = textField(found, 'parent_task_run_id');
    const under = above === null ? null : (await flowRunsOf([above])).get(above);
    const parents = [...new Set([under ?? null, startingRun(found)])].flatMap((id) => (id === null || id === run ? [] : [id]));
    // Prefect records a task run some moments after it has begun.
    if (under !== undefined) memory.runs.set(run, parents);
    return parents;
  };
  const isAbove = async (run: string, wanted: string, depth = 0): Promise<boolean> => {
    const parents = depth < DEEPEST ? ((await parentsOf(run)) ?? []) : [];
    if (parents.includes(wanted)) return true;
    for (const parent of parents) if (await isAbove(parent, wanted, depth + 1)) return true;
    return false;
  };
  return {
    async relation(own, run) {
      if (own === run) return 'own';
      if ((await parentsOf(run)) === undefined) return 'absent';
      if (await isAbove(run, own)) return 'descendant';
      return (await isAbove(own, run)) ? 'ancestor' : 'foreign';
    },
    flowRunsOf,
    async flowRunOfArtifact(id) {
      const found = await lookup(`/api/artifacts/${id}`);
      if (!isObject(found)) return undefined;
      const task = textField(found, 'task_run_id');
      return textField(found, 'flow_run_id') ?? (task === null ? null : ((await flowRunsOf([task])).get(task) ?? null));
    },
  };
}

/** True for the run itself, and for runs that it started as far as the memory has them. */
export function isBelow(memory: LineageMemory, own: string, run: string, depth = 0): boolean {
  if (own === run) return true;
  return depth < DEEPEST && (memory.runs.get(run) ?? []).some((parent) => isBelow(memory, own, parent, depth + 1));
}
