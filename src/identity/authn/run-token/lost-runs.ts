// Runs whose worker's credential has ended. The gateway reports them: a stock worker ends at its first rejection with its runs, without a report.

import type { Config } from '../../../config/config.ts';
import { REASONS } from '../../../contract/reasons.ts';
import type { NewRecord } from '../../../contract/record.ts';
import { runPrincipalId } from '../../../contract/run-token.ts';
import type { StoreAddress } from '../../../contract/store-address.ts';
import { orphanedRuns } from '../../../store/orphaned-runs.ts';
import type { RunTokens, StoredRunToken } from '../../../store/run-tokens.ts';
import { trusts } from '../access-token/trust.ts';
import { type LifeParts, look } from './life.ts';

export interface LostRunsParts extends Pick<LifeParts, 'lookup' | 'clock'> {
  readonly storeAt: StoreAddress;
  readonly providers: () => Config['identityProviders'];
  readonly store: LifeParts['store'] & Pick<RunTokens, 'lastOf'>;
  readonly record: (record: NewRecord) => Promise<void>;
}

/**
 * Each call is one check. A run that Prefect still shows as open gets one record, which becomes the event `lictor.run.orphaned`. It gets it at the second
 * check that finds it: until then an administrator can still rotate the token. Rejects if Prefect does not answer or the record cannot be written; the next check tries again.
 */
export function createLostRuns(parts: LostRunsParts): () => Promise<void> {
  const { storeAt, providers, store, record, clock } = parts;
  // The run has not used its token, so this check must not extend it.
  const looking = { ...parts, store: { endOf: store.endOf, renew: async () => undefined } };
  let looks: ReadonlyMap<string, number> = new Map();
  const isLost = async (id: string): Promise<boolean> => {
    const token = await store.lastOf(id);
    if (token === undefined || (await look(looking, token)) !== null) return false;
    if (looks.get(id) === 1) await record(recordOf(token, clock()));
    return true;
  };
  return async () => {
    const found = new Map<string, number>();
    const errors: unknown[] = [];
    for (const { id } of await orphanedRuns(storeAt, trusts(providers()), clock())) {
      try {
        if (await isLost(id)) found.set(id, (looks.get(id) ?? 0) + 1);
      } catch (error) {
        errors.push(error);
        found.set(id, looks.get(id) ?? 1);
      }
    }
    looks = found;
    if (errors.length > 0) throw new AggregateError(errors, 'runs without a worker could not be looked at');
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
