// Flow runs whose worker's credential has ended: they cannot report, and Prefect shows them as running for ever.
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

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
export function orphanedRuns(storeFile: string, trusts: readonly Trust[], nowMs: number): readonly OrphanedRun[] {
  if (!existsSync(storeFile)) return [];
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(storeFile, { readOnly: true });
    return database
      .prepare(QUERY)
      .all({ now: nowMs, trusts: JSON.stringify(trusts) })
      .map(({ flow_run_id: id, worker }) => ({ id: String(id), worker: String(worker) }));
  } catch {
    return [];
  } finally {
    database?.close();
  }
}

/**
 * By what the run is bound to (authn/run-token/worker.ts): a service token, a login of the command line, or a principal by the word of its provider.
 * A worker that begins the run anew ends the tokens before. Not checked here: whether the provider still confirms a login.
 */
const QUERY = `
  SELECT run.flow_run_id, run.worker FROM run_tokens run
  WHERE run.live_ms IS NOT NULL AND run.ended_ms IS NULL AND NOT CASE substr(run.binding, 1, instr(run.binding, ' ') - 1)
    WHEN 'token' THEN EXISTS
      (SELECT 1 FROM tokens JOIN token_secrets secret ON secret.token_id = tokens.id
       WHERE run.binding = 'token ' || tokens.id AND tokens.revoked_ms IS NULL AND (secret.expires_ms IS NULL OR secret.expires_ms > :now))
    WHEN 'login' THEN EXISTS
      (SELECT 1 FROM client_grants login
       WHERE run.binding = 'login ' || login.id AND login.ended_ms IS NULL AND login.expires_ms > :now
         AND (login.session_id IS NULL OR EXISTS (SELECT 1 FROM sessions WHERE sessions.id = login.session_id AND sessions.expires_ms > :now)))
    ELSE EXISTS
      (SELECT 1 FROM json_each(:trusts) provider
       WHERE provider.value ->> 'idp' = run.identity ->> 'idp' AND provider.value ->> 'trust' = run.identity ->> 'trust')
  END
  ORDER BY run.live_ms DESC LIMIT 200`;
