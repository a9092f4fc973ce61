// What the gateway itself shows services, for the life of one configuration.
import { type Courier, createCourier } from './courier/courier.ts';
import { createServiceTokens, type ServiceTokens, type ServiceTokensParts } from './service-tokens.ts';

export interface ServiceCredentials {
  /** nginx shows them: they ride on decisions. */
  readonly tokens: ServiceTokens;
  /** Those that depend on the call. */
  readonly courier: Courier;
}

export function openServiceCredentials(parts: ServiceTokensParts): ServiceCredentials {
  return { tokens: createServiceTokens(parts), courier: createCourier(parts) };
}
