// Tokens for the runs that a worker is given: the same at every poll, another after each new SCHEDULED state. Kept as hashes alone.
import type { Config } from '../../../config/config.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { RunTokens } from '../../../store/run-tokens.ts';
import { deriveTokenText, hashToken } from '../service-token/token-text.ts';
import { RUN_TOKEN_TIMES } from './times.ts';
import { boundOf, type Worker } from './worker.ts';

export interface GivenRun {
  readonly flowRunId: string;
  readonly deploymentId: string | null;
  readonly pool: string;
  /** Id of the state in which it waits. */
  readonly stateId: string;
  readonly onBehalfOf: readonly string[];
}

export interface MintParts {
  readonly key: Buffer;
  readonly store: Pick<RunTokens, 'put' | 'goLive'>;
  readonly config: Pick<Config, 'identityProviders'>;
  /** A role that may poll is a worker's: only such a grant is handed down to runs. */
  readonly mayPoll: (role: string) => boolean;
  readonly clock: Clock;
}

/** The texts by flow run, on disk as hashes before they are answered. None for whoever is no worker. */
export async function mintFor(
  { key, store, config, mayPoll, clock }: MintParts,
  worker: Worker,
  runs: readonly GivenRun[],
): Promise<ReadonlyMap<string, string>> {
  const bound = boundOf(worker, config.identityProviders);
  if (bound === undefined || !worker.principal.grants.some(({ role }) => mayPoll(role))) return new Map();
  const { binding, identity } = bound;
  const minted = runs.map((run) => ({ run, token: deriveTokenText(key, JSON.stringify([run.flowRunId, binding, run.stateId]), 'lcf_') }));
  await store.put(
    minted.map(({ run, token }) => ({
      ...run,
      hash: hashToken(token.text),
      id: token.id,
      worker: worker.principal.id,
      binding,
      credentialId: worker.credential.id,
      identity,
      expiresMs: clock() + RUN_TOKEN_TIMES.lifeMs,
    })),
  );
  return new Map(minted.map(({ run, token }) => [run.flowRunId, token.text]));
}

/**
 * The worker's PENDING was accepted: it has begun the run, and the run's token holds, with the claims and groups that the worker has now: whoever
 * polled first may have had more. True: that of another attempt does no more.
 */
export async function begin({ store, config, clock }: MintParts, { principal, credential }: Worker, flowRunId: string): Promise<boolean> {
  const bound = boundOf({ principal, credential }, config.identityProviders);
  if (bound === undefined) return false;
  return store.goLive({ flowRunId, ...bound, credentialId: credential.id, expiresMs: clock() + RUN_TOKEN_TIMES.lifeMs });
}
