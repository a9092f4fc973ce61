// Prefect's part of a timeline. Without Prefect, the ledger and the stored events are enough.
import type { Upstream } from '../../prefect/client/upstream.ts';
import { askPrefect, type PrefectAnswer } from './prefect-run.ts';

/** No function rejects. */
export interface PrefectSource {
  run(id: string): Promise<PrefectAnswer>;
  /** The flow runs that this one started, oldest first. */
  childrenOf(id: string): Promise<readonly string[]>;
  /** Undefined: unknown. */
  flowRunOfTask(taskRunId: string): Promise<string | undefined>;
}

const MOST_CHILDREN = 50;

export function prefectSource(upstream: Pick<Upstream, 'request'>): PrefectSource {
  const ask = async (path: string, body?: object): Promise<unknown> => {
    const headers = { accept: 'application/json', 'content-type': 'application/json' };
    const request = { path, headers, ...(body !== undefined && { body: Buffer.from(JSON.stringify(body)) }) };
    const answer = await upstream.request({ method: body === undefined ? 'GET' : 'POST', ...request });
    return answer.status === 200 ? JSON.parse(answer.body.toString('utf8')) : undefined;
  };
  return {
    run: (id) => askPrefect(upstream, id),
    async childrenOf(id) {
      const filter = { flow_runs: { parent_flow_run_id: { any_: [id] } }, sort: 'START_TIME_ASC', limit: MOST_CHILDREN };
      const found = await ask('/api/flow_runs/filter', filter).catch(() => undefined);
      return Array.isArray(found) ? found.flatMap((run: unknown) => textField(run, 'id') ?? []) : [];
    },
    async flowRunOfTask(taskRunId) {
      return textField(await ask(`/api/task_runs/${taskRunId}`).catch(() => undefined), 'flow_run_id');
    },
  };
}

/** Where Prefect cannot be reached. */
export function noPrefect(problem: string): PrefectSource {
  return { run: async () => ({ found: 'unknown', problem }), childrenOf: async () => [], flowRunOfTask: async () => undefined };
}

function textField(value: unknown, name: string): string | undefined {
  const found = typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;
  return typeof found === 'string' ? found : undefined;
}
