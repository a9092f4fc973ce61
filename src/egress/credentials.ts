// What the gateway itself shows services, and how often it may call them again, for the life of one configuration.
import type { ServiceCalls } from '../ledger/call-count.ts';
import { type Courier, createCourier } from './courier/courier.ts';
import { createRepeats } from './repeats.ts';
import { createServiceTokens, type ServiceTokens, type ServiceTokensParts } from './service-tokens.ts';

export interface ServiceCredentials {
  /** nginx shows them: they ride on decisions. */
  readonly tokens: ServiceTokens;
  /** Those that depend on the call. */
  readonly courier: Courier;
  /** What has come out of the access log. */
  told(calls: readonly ServiceCalls[]): void;
}

export function openServiceCredentials(parts: ServiceTokensParts): ServiceCredentials {
  const tokens = createServiceTokens(parts);
  const repeats = createRepeats(parts.config, parts.steady);
  return {
    tokens,
    courier: createCourier({ ...parts, repeats }),
    told(calls) {
      for (const { service, made, refusedMs } of calls) {
        repeats.counted(service, made);
        if (refusedMs !== null) tokens.refused(service, refusedMs);
      }
    },
  };
}
