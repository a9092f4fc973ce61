// The credentials that the gateway itself has for services, for the life of one configuration.
import type { ServiceCalls } from '../ledger/call-count.ts';
import { type AuthStrategy, authStrategyOf } from './proxy/auth-strategy.ts';
import { createAwsSigner } from './proxy/aws-signer.ts';
import { createServiceTokens, type ServiceTokens, type ServiceTokensParts } from './service-tokens.ts';

export interface ServiceCredentials {
  /** nginx adds them to calls: they ride on decisions. */
  readonly tokens: ServiceTokens;
  /** Those that depend on the call, for the gateway's own questions. Undefined: nginx adds the credential. */
  strategyOf(service: string): AuthStrategy | undefined;
  /** What has come out of the access log. */
  told(calls: readonly ServiceCalls[]): void;
}

export function openServiceCredentials(parts: ServiceTokensParts): ServiceCredentials {
  const tokens = createServiceTokens(parts);
  const strategies = new Map(
    parts.config.services.map((service) => {
      const onTrouble = (what: string): void => parts.log.warn({ service: service.name, what }, 'no AWS credentials for a service');
      return [service.name, authStrategyOf(service, (sigv4) => createAwsSigner(sigv4, { ...parts, onTrouble }))] as const;
    }),
  );
  return {
    tokens,
    strategyOf: (service) => strategies.get(service),
    told(calls) {
      for (const { service, refusedMs } of calls) tokens.refused(service, refusedMs);
    },
  };
}
