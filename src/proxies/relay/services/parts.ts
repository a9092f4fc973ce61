// The services that sockets of services need from lower parts.

import type { ServiceCalls } from '../../../authorization/decide/service-calls.ts';
import type { Config } from '../../../config/config.ts';
import type { Service, ServiceServer } from '../../../config/service.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { Ledger } from '../../../record/ledger/ledger.ts';
import type { Assert } from '../../egress/assertion.ts';
import type { ServiceTokens } from '../../egress/service-tokens.ts';
import type { ServiceSocketLimits } from './limits.ts';

export interface ServiceSocketParts {
  /** By the present configuration: another one after a reload. */
  readonly runtime: () => SocketRuntime;
  /** The servers of a service in nginx's form. */
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
  /** By its health checks. */
  isDown(service: Service, server: ServiceServer): boolean;
  /** The `Host` header for it, and the name that its certificate must have. */
  hostOf(service: Service, server: ServiceServer): string;
}
