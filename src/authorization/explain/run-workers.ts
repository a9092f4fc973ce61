// Which worker began a run, by the ledger: a worker polls, and sets a state of the run before the run sends its first request.
import type { LedgerRecord } from '../../contract/record.ts';

export interface RunWorkers {
  /** In time order. */
  add(record: LedgerRecord): void;
  /** The principal of the worker. Undefined: no record says it. */
  of(flowRunId: string): string | undefined;
}

export function createRunWorkers(): RunWorkers {
  const polling = new Set<string>();
  const begunBy = new Map<string, string>();
  return {
    add({ principal, principal_kind, action, flow_run_id: run, run_binding }) {
      if (principal === null || principal_kind === 'run') return;
      if (action === 'worker.poll') polling.add(principal);
      if (action === 'flow_runs.set_state' && run !== null && run_binding === 'verified' && polling.has(principal)) begunBy.set(run, principal);
    },
    of: (flowRunId) => begunBy.get(flowRunId),
  };
}
