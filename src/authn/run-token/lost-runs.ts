// Runs whose worker's token has ended, said by the gateway: a stock worker ends at its first refusal and takes its runs with it, so they never say it.

import { REASONS } from '../../contract/reasons.ts';
import type { NewRecord } from '../../contract/record.ts';
import { runPrincipalId } from '../../contract/run-token.ts';
import { orphanedRuns } from '../../store/orphaned-runs.ts';
import type { RunTokens, StoredRunToken } from '../../store/run-tokens.ts';
import { type LifeParts, look } from './life.ts';

/** Meanwhile an administrator can still rotate the token. */
const GRACE_MS = 60_000;

export interface LostRunsParts extends Pick<LifeParts, 'lookup' | 'clock'> {
  readonly storeFile: string;
  readonly store: LifeParts['store'] & Pick<RunTokens, 'lastOf'>;
  readonly record: (record: NewRecord) => Promise<void>;
}

/**
 * Each call is one look: a run that Prefect still shows as open gets one record, which becomes the event `lictor.run.orphaned`. Rejects when Prefect cannot
 * be asked or the record cannot be written; the next look tries again.
 */
export function createLostRuns(parts: LostRunsParts): () => Promise<void> {
  const { storeFile, store, record, clock } = parts;
  let reported: ReadonlySet<string> = new Set();
  return async () => {
    const open = new Set<string>();
    for (const { id } of orphanedRuns(storeFile, clock() - GRACE_MS)) {
      const token = await store.lastOf(id);
      if (token === undefined || (await look(parts, token)) !== null) continue;
      if (!reported.has(id)) await record(recordOf(token, clock()));
      reported = new Set([...reported, id]);
      open.add(id);
    }
    reported = open;
  };
}

function recordOf({ flowRunId, deploymentId, id, onBehalfOf }: StoredRunToken, nowMs: number): NewRecord {
  const reason = 'run-token-orphaned';
  return {
    time: new Date(nowMs).toISOString(),
    ...{ principal: runPrincipalId(flowRunId), principal_kind: 'run', on_behalf_of: onBehalfOf, credential_id: id },
    ...{ flow_run_id: flowRunId, deployment_id: deploymentId, run_binding: 'verified' },
    ...{ action: 'run_token.orphan', decision: 'deny', reason, status: REASONS[reason].status, mode: 'enforce' },
  };
}
