// What sockets of services need from the parts below them.

import type { ServiceCalls } from '../../../authorization/decide/service-calls.ts';
import type { Config } from '../../../config/config.ts';
import type { Service, ServiceServer } from '../../../config/service.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { Ledger } from '../../../record/ledger/ledger.ts';
import type { Assert } from '../../egress/assertion.ts';
import type { ServiceTokens } from '../../egress/service-tokens.ts';
import type { ServiceSocketLimits } from './limits.ts';

export interface ServiceSocketParts {
  /** Of the configuration in use: another one after a reload. */
  readonly runtime: () => SocketRuntime;
  /** The servers of a service as nginx has them. */
  readonly servers: KnownServers;
  readonly ledger: Pick<Ledger, 'append' | 'intend' | 'settle'>;
  readonly clock: Clock;
  readonly log: { warn(fields: object, message: string): void };
  readonly limits?: Partial<ServiceSocketLimits>;
}

export interface SocketRuntime {
  readonly config: Pick<Config, 'services' | 'forwardHeaders' | 'publicUrl'> & { readonly ledger: Pick<Config['ledger'], 'failClosed'> };
  readonly revision: number;
  readonly services: {
    readonly calls: ServiceCalls;
    readonly assert: Assert;
    readonly credentials: { readonly tokens: ServiceTokens };
  };
}

export interface KnownServers {
  /** Its health says so. */
  isDown(service: Service, server: ServiceServer): boolean;
  /** What stands in `Host` for it, and which name its certificate is held against. */
  hostOf(service: Service, server: ServiceServer): string;
}
