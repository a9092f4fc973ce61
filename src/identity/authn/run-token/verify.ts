// A run's token -> the principal of that run: valid, not ended, with a worker in good standing. Its rights are the worker's rights for runs, never the initiator's.
import type { EdgeInputs } from '../../../contract/inputs.ts';
import { type Principal, RUN_ATTRIBUTE } from '../../../contract/principal.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import { runPrincipalId } from '../../../contract/run-token.ts';
import type { Grant } from '../../../contract/scope.ts';
import type { RunTokens, StoredRunToken } from '../../../store/run-tokens.ts';
import type { TokenKind } from '../authenticator.ts';
import { distinctGrants } from '../roles.ts';
import { hashToken, isSameHash, parseTokenText } from '../service-token/token-text.ts';
import { type Authentication, refuse } from '../verdict.ts';
import type { Life } from './life.ts';
import { hasEnded, RUN_TOKEN_TIMES } from './times.ts';
import { type WorkerParts, workerStanding } from './worker.ts';

export interface RunTokenParts extends WorkerParts {
  readonly runTokens: Pick<RunTokens, 'byHash'>;
  readonly life: Life;
  readonly mayPoll: (role: string) => boolean;
}

export function createRunTokenKind(parts: RunTokenParts): TokenKind {
  const { runTokens, life, mayPoll, clock } = parts;
  return {
    recognises: (text) => text.startsWith('lcf_'),
    async verify(text, carrier, { address, audience }): Promise<Authentication> {
      const parsed = parseTokenText(text, 'lcf_');
      if (parsed === undefined) return refuse('credential-malformed');
      const hash = hashToken(parsed.text);
      const token = await runTokens.byHash(hash);
      if (token === undefined || !isSameHash(token.hash, hash)) return refuse('credential-unknown');
      const credential = { id: token.id, carrier, sessionId: null, alsoPresented: [] };
      // The record names the owner of the token, also of an invalid one.
      const refused = (reason: ReasonCode): Authentication => ({
        ...refuse(reason, token.id),
        proven: { principal: runPrincipal(token, []), credential: { ...credential, expiresAtMs: null } },
      });
      const wrong = checkToken(token, audience, clock());
      if (wrong !== undefined) return refused(wrong);
      const endedMs = await life.endOf(token);
      const nowMs = clock();
      if (hasEnded({ endedMs, expiresMs: token.expiresMs }, nowMs)) return refused('run-token-ended');
      const worker = await workerStanding(parts, token, address);
      if (!worker.ok) return refused(worker.reason);
      const expiresAtMs = Math.min(endedMs ?? token.expiresMs, token.expiresMs, nowMs + RUN_TOKEN_TIMES.decideEveryMs);
      const grants = worker.grants.filter(({ role }) => mayPoll(role));
      const { scopes } = worker;
      return { ok: true, principal: runPrincipal(token, grants), credential: { ...credential, expiresAtMs, ...(scopes !== undefined && { scopes }) } };
    },
  };
}

/** Before the check of its run, which would extend it: an expired token stays expired. */
function checkToken({ liveMs, expiresMs }: StoredRunToken, audience: EdgeInputs['audience'], nowMs: number): ReasonCode | undefined {
  // A run speaks to Prefect's API. An agent has its own credential.
  if (audience !== undefined) return 'token-audience';
  if (liveMs === null) return 'run-token-not-live';
  return expiresMs <= nowMs ? 'run-token-ended' : undefined;
}

/** `grants`: those of the worker that apply to its runs. */
export function runPrincipal({ flowRunId, deploymentId, pool, worker, onBehalfOf }: StoredRunToken, grants: readonly Grant[]): Principal {
  return {
    id: runPrincipalId(flowRunId),
    kind: 'run',
    idp: null,
    roles: ['run'],
    grants: distinctGrants(grants.map(({ scope }) => ({ role: 'run', scope }))),
    groups: [],
    attributes: { [RUN_ATTRIBUTE]: flowRunId, ...(deploymentId !== null && { deployment: deploymentId }), pool, worker },
    onBehalfOf,
  };
}
