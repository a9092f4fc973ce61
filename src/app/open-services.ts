// The services of a runtime that decide and prepare calls of configured services.
import type { AnsweredServices } from '../authorization/decide/answer.ts';
import type { EgressParts } from '../authorization/decide/egress.ts';
import { createHostConnects, type HostConnects } from '../authorization/decide/host-connects.ts';
import { createServiceCalls } from '../authorization/decide/service-calls.ts';
import type { Config } from '../config/config.ts';
import type { SigningKeys } from '../config/keys/signing-keys.ts';
import type { Clock } from '../contract/clock.ts';
import { createAssertions } from '../proxies/egress/assertion.ts';
import type { ServiceCredentials } from '../proxies/egress/credentials.ts';
import type { Store } from '../store/store.ts';

export interface ServiceParts extends Pick<EgressParts, 'authenticator' | 'policy' | 'entities' | 'needsApproval'> {
  readonly config: Pick<Config, 'services' | 'forwardProxy' | 'publicUrl'>;
  readonly store: Pick<Store, 'changeNumber' | 'cacheGenerations'>;
  readonly signingKeys: SigningKeys;
  readonly clock: Clock;
  readonly credentials: ServiceCredentials;
}

export interface Services extends AnsweredServices {
  readonly credentials: ServiceCredentials;
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
    cacheGeneration: async (service) => (cached.has(service) ? parts.store.cacheGenerations.of(service) : null),
    connects: createHostConnects({ ...parts, allow: forwardProxy?.allow ?? null, changeNumber }),
  };
}
