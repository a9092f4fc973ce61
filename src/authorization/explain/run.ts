// `run:UUID` -> the principal of a request with this run's token: the rights from its worker's roles, and the state of the token.

import { chainWords } from '../../contract/chain-words.ts';
import { LictorError } from '../../contract/error.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { scopeText } from '../../contract/scope.ts';
import { hasEnded } from '../../identity/authn/run-token/times.ts';
import { runPrincipal } from '../../identity/authn/run-token/verify.ts';
import type { RunTokens, StoredRunToken } from '../../store/run-tokens.ts';
import type { ResolvedPrincipal } from './principal.ts';

export interface RunParts {
  readonly runTokens: Pick<RunTokens, 'lastOf'>;
  readonly nowMs: number;
  /** True for a worker role. */
  readonly mayPoll: (role: string) => boolean;
  /** The worker in its present state. Throws `principal-unknown`. */
  readonly workerOf: (id: string) => Promise<ResolvedPrincipal>;
}

/** Undefined: no worker got this run within the last day. */
export async function findRun(flowRunId: string, parts: RunParts): Promise<ResolvedPrincipal | undefined> {
  const token = await parts.runTokens.lastOf(flowRunId);
  if (token === undefined) return undefined;
  const worker = await parts.workerOf(token.worker).catch(orGone);
  const principal = runPrincipal(
    token,
    (worker?.principal.grants ?? []).filter(({ role }) => parts.mayPoll(role)),
  );
  return {
    principal,
    hypothetical: false,
    roles: principal.grants.map(({ role, scope }) => ({
      role,
      scope: scope === null ? null : scopeText(scope),
      from: [`the roles of its worker, ${token.worker}`],
    })),
    refusedAs: problemOf(token, worker, parts.nowMs),
    notes: notesOf(token),
  };
}

/** A deleted worker has no roles. */
function orGone(error: unknown): undefined {
  if (error instanceof LictorError && error.code === 'principal-unknown') return undefined;
  throw error;
}

function problemOf(token: StoredRunToken, worker: ResolvedPrincipal | undefined, nowMs: number): ReasonCode | null {
  if (token.liveMs === null) return 'run-token-not-live';
  if (hasEnded(token, nowMs)) return 'run-token-ended';
  if (worker === undefined) return 'run-token-orphaned';
  if (worker.refusedAs === null) return null;
  return worker.refusedAs === 'locked' ? 'locked' : 'run-token-orphaned';
}

function notesOf({ onBehalfOf, pool, worker }: StoredRunToken): readonly string[] {
  const starter = onBehalfOf.length === 0 ? 'nobody that is known' : chainWords(onBehalfOf);
  return [
    `It runs for ${worker} in the pool ${pool}, started by ${starter}: that gives it no right.`,
    'Bound to its run: by id it may name itself, what it has started, and for reading what is above it. Whether Prefect calls the run ended is asked at each use, and not here.',
  ];
}
