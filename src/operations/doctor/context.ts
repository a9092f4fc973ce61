// What the checks of lictor doctor are given.
import { trustedAuthorities } from '../../config/authorities.ts';
import type { Config } from '../../config/config.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import type { WorkerUser } from '../../config/worker-user.ts';
import type { Clock } from '../../contract/clock.ts';
import type { RunProgram } from './inside/nginx-version.ts';
import type { Statfs } from './inside/space.ts';
import type { Trust } from './outside/http-probe.ts';
import { authoritiesOf, tokenTrust } from './outside/trust.ts';
import type { OwnRequests } from './own-requests.ts';

export interface DoctorContext {
  readonly config: Config;
  /** False: Prefect's credential could not be read, so checks that need it are left out. */
  readonly secretsKnown: boolean;
  /** Doctor creates and changes nothing there. */
  readonly paths: StatePaths;
  readonly workerUser: WorkerUser | null;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly statfs: Statfs;
  readonly run: RunProgram;
  /** The ways to public_url. */
  readonly own: Pick<OwnRequests, 'probe' | 'attempt'>;
  /** Reports a wait while it lasts. */
  readonly onProgress: (line: string) => void;
  /** A short-lived token with the roles viewer and worker. A string: why there is none. Undefined: the gateway does not run. */
  readonly token: { readonly secret: string } | string | undefined;
  /** The further checks (deep/deep.ts). */
  readonly deep: boolean;
  /** Shows where a person logs in at a provider, for its groups. Null: nobody is asked. */
  readonly onLogin: ((page: string, code: string) => void) | null;
}

/** The servers at public_url that may get the token. */
export function ownTrust({ env, config }: Pick<DoctorContext, 'env' | 'config'>): Trust {
  const own = config.tls?.selfMadeBy;
  return own == null ? tokenTrust(trustedAuthorities(env), config.tls?.certFile ?? null) : tokenTrust(authoritiesOf(own), null);
}
