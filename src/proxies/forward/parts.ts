// The services that the forward proxy needs.

import type { HostConnects } from '../../authorization/decide/host-connects.ts';
import type { Clock } from '../../contract/clock.ts';
import type { Ledger } from '../../record/ledger/ledger.ts';
import type { ForwardLimits } from './limits.ts';
import type { Network } from './network.ts';

export interface ForwardParts {
  /** By the present configuration. */
  readonly connects: HostConnects;
  readonly revision: () => number;
  /** `ledger.fail_closed`: a connection that cannot be recorded does not open. */
  readonly failClosed: () => boolean;
  /** Host names (or addresses) of Prefect and of the gateway. No name may lead there. */
  readonly avoid: () => readonly string[];
  readonly ledger: Pick<Ledger, 'append' | 'intend' | 'settle'>;
  readonly clock: Clock;
  readonly log: { warn(fields: object, message: string): void };
  readonly network: Network;
  readonly limits?: Partial<ForwardLimits>;
}
