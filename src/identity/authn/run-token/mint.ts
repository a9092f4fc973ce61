// Tokens for the runs that a worker polls: the same at every poll, and another one after each new SCHEDULED state. Stored only as hashes.
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
  /** A role that may poll is a worker's role. Only such grants pass to runs. */
  readonly mayPoll: (role: string) => boolean;
  readonly clock: Clock;
}

/** The token texts by flow run. Their hashes are stored before the answer. None for a principal that is not a worker. */
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
 * Prefect accepted the worker's PENDING: the worker has begun the run. Now the run's token is valid, with the worker's present claims and groups, since
 * the first worker that polled may have had more. True: the token of another attempt is no longer valid.
 */
export async function begin({ store, config, clock }: MintParts, { principal, credential }: Worker, flowRunId: string): Promise<boolean> {
  const bound = boundOf({ principal, credential }, config.identityProviders);
  if (bound === undefined) return false;
  return store.goLive({ flowRunId, ...bound, credentialId: credential.id, expiresMs: clock() + RUN_TOKEN_TIMES.lifeMs });
}
