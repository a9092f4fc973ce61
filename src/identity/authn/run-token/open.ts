// The services for tokens of flow runs that depend on the configuration.
import type { Config } from '../../../config/config.ts';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import type { JsonValue } from '../../../contract/json/tree.ts';
import { isTerminal } from '../../../prefect/client/states.ts';
import type { Store } from '../../../store/store.ts';
import { createAgentCredentials } from '../agent/credentials.ts';
import type { TokenKind } from '../authenticator.ts';
import type { GrantStanding } from '../grant/standing.ts';
import { createRoleBook } from '../roles.ts';
import { createLife } from './life.ts';
import { begin, type GivenRun, type MintParts, mintFor } from './mint.ts';
import { RUN_TOKEN_TIMES } from './times.ts';
import { createRunTokenKind } from './verify.ts';
import type { Worker } from './worker.ts';

export interface RunTokenDesk {
  /** Texts by flow run. None for a principal that is not a worker. */
  mint(worker: Worker, runs: readonly GivenRun[]): Promise<ReadonlyMap<string, string>>;
  /** Prefect reports this state of this run, after a request. */
  stateSet(change: StateSet): Promise<void>;
}

export interface StateSet {
  readonly flowRunId: string;
  /** Prefect's type, in upper case. */
  readonly type: string;
  /** True: the requested state. False: another state instead. */
  readonly accepted: boolean;
  readonly by: Worker;
}

export interface RunTokenRoom {
  readonly store: Store;
  readonly config: Pick<Config, 'identityProviders' | 'roles' | 'agents'>;
  readonly runTokenKey: Buffer;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  readonly standing: GrantStanding;
  /** Asks Prefect without a cache: the state of a former attempt must not end the next one. */
  readonly lookup: (path: string) => Promise<JsonValue | null>;
  /** A role that may poll is a worker's role. */
  readonly mayPoll: (role: string) => boolean;
  /** Publishes that a token has ended: no cached decision and no open socket outlives it. */
  readonly sync: () => Promise<void>;
  readonly log: { warn(fields: object, message: string): void };
}

export function openRunTokens(room: RunTokenRoom): { readonly kind: TokenKind; readonly desk: RunTokenDesk } {
  const { store, config, runTokenKey: key, clock, steady, standing, lookup, mayPoll, sync, log } = room;
  const onError = (error: unknown): void => log.warn({ err: error }, 'Prefect could not be asked whether a run goes on');
  const life = createLife({ store: store.runTokens, lookup, clock, steady, onError });
  const minting: MintParts = { key, store: store.runTokens, config, mayPoll, clock };
  return {
    kind: createRunTokenKind({
      ...{ store, config, runTokens: store.runTokens, standing, clock, life, mayPoll },
      roleBook: createRoleBook(config.roles),
      agents: createAgentCredentials(config.agents),
    }),
    desk: {
      mint: (worker, runs) => mintFor(minting, worker, runs),
      async stateSet({ flowRunId, type, accepted, by }) {
        if (type === 'PENDING' && accepted && (await begin(minting, by, flowRunId))) await sync();
        if (isTerminal(type)) await store.runTokens.endOf(flowRunId, clock() + RUN_TOKEN_TIMES.graceMs);
        // A run that waits for its next attempt in the same process, or reschedules itself, still reports its last events.
        if (type === 'SCHEDULED' && accepted && by.principal.kind !== 'run' && (await store.runTokens.endNow(flowRunId))) await sync();
      },
    },
  };
}
