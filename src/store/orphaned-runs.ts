// Flow runs whose worker's credential has ended: they cannot report, and Prefect shows them as running for ever.
import type { StoreAddress } from '../contract/store-address.ts';
import { readRows } from './rows.ts';

export interface OrphanedRun {
  readonly id: string;
  /** Principal of the worker. */
  readonly worker: string;
}

/** How the providers of lictor.yaml are trusted now: `authn/access-token/trust.ts`. */
export interface Trust {
  readonly idp: string;
  readonly trust: string;
}

/** Newest first, as many as Prefect lists at once. Only reads. Another check covers an unreadable store. */
export async function orphanedRuns(at: StoreAddress, trusts: readonly Trust[], nowMs: number): Promise<readonly OrphanedRun[]> {
  const rows = await readRows(at, queryFor(at), nowMs, nowMs, nowMs, JSON.stringify(trusts));
  return rows.map(({ flow_run_id: id, worker }) => ({ id: String(id), worker: String(worker) }));
}

/**
 * By what the run is bound to (authn/run-token/worker.ts): a service token, a login of the command line, or a principal by the word of its provider.
 * A worker that begins the run anew ends the tokens before. Not checked here: whether the provider still confirms a login.
 */
function queryFor(at: StoreAddress): string {
  const [providers, identity] =
    typeof at === 'string' ? ['json_each(?) provider', 'run.identity'] : ['json_array_elements(cast(? as json)) provider(value)', 'cast(run.identity as json)'];
  return `
  SELECT run.flow_run_id, run.worker FROM run_tokens run
  WHERE run.live_ms IS NOT NULL AND run.ended_ms IS NULL AND NOT CASE
    WHEN run.binding LIKE 'token %' THEN EXISTS
      (SELECT 1 FROM tokens JOIN token_secrets secret ON secret.token_id = tokens.id
       WHERE run.binding = 'token ' || tokens.id AND tokens.revoked_ms IS NULL AND (secret.expires_ms IS NULL OR secret.expires_ms > ?))
    WHEN run.binding LIKE 'login %' THEN EXISTS
      (SELECT 1 FROM client_grants login
       WHERE run.binding = 'login ' || login.id AND login.ended_ms IS NULL AND login.expires_ms > ?
         AND (login.session_id IS NULL OR EXISTS (SELECT 1 FROM sessions WHERE sessions.id = login.session_id AND sessions.expires_ms > ?)))
    ELSE EXISTS
      (SELECT 1 FROM ${providers}
       WHERE provider.value ->> 'idp' = ${identity} ->> 'idp' AND provider.value ->> 'trust' = ${identity} ->> 'trust')
  END
  ORDER BY run.live_ms DESC LIMIT 200`;
}
