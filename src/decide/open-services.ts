// Everything about calls of services that is made from one configuration.
import type { Config } from '../config/config.ts';
import type { Clock } from '../contract/clock.ts';
import { type Assert, createAssertions } from '../egress/assertion.ts';
import type { SigningKeys } from '../keys/signing-keys.ts';
import type { Store } from '../store/store.ts';
import { createServiceCalls, type ServiceCalls, type ServiceCallsParts } from './service-calls.ts';

export interface ServiceRoom extends Pick<ServiceCallsParts, 'authenticator' | 'policy' | 'entities'> {
  readonly config: Pick<Config, 'services' | 'publicUrl'>;
  readonly store: Pick<Store, 'changeNumber'>;
  readonly signingKeys: SigningKeys;
  readonly clock: Clock;
}

export function openServices(room: ServiceRoom): { readonly calls: ServiceCalls; readonly assert: Assert } {
  const { services, publicUrl } = room.config;
  return {
    calls: createServiceCalls({ ...room, services, changeNumber: () => room.store.changeNumber() }),
    assert: createAssertions(room.signingKeys, `${publicUrl.origin}${publicUrl.basePath}`, room.clock),
  };
}
