// Everything about calls of services that is made from one configuration.
import type { Config } from '../config/config.ts';
import type { Clock } from '../contract/clock.ts';
import { type Assert, createAssertions } from '../egress/assertion.ts';
import type { ServiceCredentials } from '../egress/credentials.ts';
import type { SigningKeys } from '../keys/signing-keys.ts';
import type { Store } from '../store/store.ts';
import { createHostConnects, type HostConnects } from './host-connects.ts';
import { createServiceCalls, type ServiceCalls, type ServiceCallsParts } from './service-calls.ts';

export interface ServiceParts extends Pick<ServiceCallsParts, 'authenticator' | 'policy' | 'entities'> {
  readonly config: Pick<Config, 'services' | 'forwardProxy' | 'publicUrl'>;
  readonly store: Pick<Store, 'changeNumber' | 'keptAnswers'>;
  readonly signingKeys: SigningKeys;
  readonly clock: Clock;
  readonly credentials: ServiceCredentials;
}

export interface Services {
  readonly calls: ServiceCalls;
  readonly assert: Assert;
  readonly credentials: ServiceCredentials;
  /** How often the cache of a service was purged; null: it has none. */
  readonly cacheGeneration: (service: string) => Promise<number | null>;
  readonly connects: HostConnects;
}

export function openServices(parts: ServiceParts): Services {
  const { services, forwardProxy, publicUrl } = parts.config;
  const changeNumber = () => parts.store.changeNumber();
  const cached = new Set(services.filter(({ cache }) => cache.length > 0).map(({ name }) => name));
  return {
    calls: createServiceCalls({ ...parts, services, changeNumber }),
    assert: createAssertions(parts.signingKeys, `${publicUrl.origin}${publicUrl.basePath}`, parts.clock),
    credentials: parts.credentials,
    cacheGeneration: async (service) => (cached.has(service) ? parts.store.keptAnswers.generation(service) : null),
    connects: createHostConnects({ ...parts, allow: forwardProxy?.allow ?? null, changeNumber }),
  };
}
