// Flow runs whose worker's token was revoked or has expired: they can report nothing, and Prefect shows them as running for good.
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

export interface OrphanedRun {
  readonly id: string;
  /** Principal of the worker. */
  readonly worker: string;
}

/** Those whose token had ended by then. Newest first, as many as Prefect lists at once. Reads only; a store that cannot be read has a check of its own. */
export function orphanedRuns(storeFile: string, atMs: number): readonly OrphanedRun[] {
  if (!existsSync(storeFile)) return [];
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(storeFile, { readOnly: true });
    return database
      .prepare(QUERY)
      .all({ now: atMs })
      .map(({ flow_run_id: id, worker }) => ({ id: String(id), worker: String(worker) }));
  } catch {
    return [];
  } finally {
    database?.close();
  }
}

/** Bound to a service token (authn/run-token/worker.ts) that holds no more. One that begins the run anew ends the tokens before. */
const QUERY = `
  SELECT run.flow_run_id, run.worker FROM run_tokens run
  JOIN tokens ON run.binding = 'token ' || tokens.id
  WHERE run.live_ms IS NOT NULL AND run.ended_ms IS NULL
    AND (tokens.revoked_ms <= :now OR NOT EXISTS
      (SELECT 1 FROM token_secrets secret WHERE secret.token_id = tokens.id AND (secret.expires_ms IS NULL OR secret.expires_ms > :now)))
  ORDER BY run.live_ms DESC LIMIT 200`;
