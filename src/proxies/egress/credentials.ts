// The gateway's credentials for services, for the life of one configuration.
import type { OutgoingHttpHeaders } from 'node:http';
import type { Service } from '../../config/service.ts';
import type { ServiceCalls } from '../../record/ledger/call-count.ts';
import { type AuthStrategy, authStrategyOf } from './proxy/auth-strategy.ts';
import { createAwsSigner } from './proxy/aws-signer.ts';
import { createServiceTokens, type ServiceTokens, type ServiceTokensParts } from './service-tokens.ts';

export interface HealthCheck {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ServiceCredentials {
  /** nginx adds them to calls: they are part of decisions. */
  readonly tokens: ServiceTokens;
  /** A health check with the service's credential. Undefined: there is none now. */
  authenticateCheck(service: Service, url: URL): Promise<HealthCheck | undefined>;
  /** For calls in the access log that a service answered with 401. */
  refused(calls: readonly ServiceCalls[]): void;
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
    authenticateCheck: (service, url) => authenticateCheck(service, url, { tokens, strategy: strategies.get(service.name) }),
    refused(calls) {
      for (const { service, refusedMs } of calls) tokens.refused(service, refusedMs);
    },
  };
}

interface CheckParts {
  readonly tokens: ServiceTokens;
  readonly strategy: AuthStrategy | undefined;
}

async function authenticateCheck({ name, injected }: Service, { origin, host, pathname, search }: URL, { tokens, strategy }: CheckParts) {
  const target = `${pathname}${search}`;
  const headers = { 'user-agent': 'lictor-health' };
  const authenticated = await strategy?.authenticateCall({ method: 'GET', target, headers: { ...headers, host }, body: Buffer.alloc(0) });
  if (authenticated?.ok === false) return undefined;
  if (authenticated !== undefined) return { url: `${origin}${authenticated.target}`, headers: withText(authenticated.headers) };
  const url = `${origin}${target}`;
  if (injected !== null && 'header' in injected) return { url, headers: { ...headers, [injected.header]: injected.value } };
  const token = await tokens.of(name);
  return { url, headers: token == null ? headers : { ...headers, authorization: `Bearer ${token.token}` } };
}

function withText(headers: OutgoingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
