// The access tokens for services of one configuration.
import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import { type AccessToken, createAccessToken, type ServiceToken, type TokenFetch } from './access-token.ts';

export interface ServiceTokens {
  /** Null: this service needs none. Undefined: it needs one, and none can be obtained now. */
  of(service: string): Promise<ServiceToken | undefined | null>;
  /** The service has answered 401 to an allowed call that began then. */
  refused(service: string, beganMs: number): void;
}

export interface ServiceTokensParts {
  readonly config: Pick<Config, 'services'>;
  /** Null: the system's authorities. */
  readonly outbounds: { to(caFile: string | null): { readonly fetch: TokenFetch } };
  readonly clock: Clock;
  /** For intervals: src/contract/clock.ts. */
  readonly steady: Clock;
  readonly log: Pick<Logger, 'warn'>;
}

export function createServiceTokens({ config, outbounds, clock, steady, log }: ServiceTokensParts): ServiceTokens {
  const tokens = new Map<string, AccessToken>();
  for (const { name, injected } of config.services) {
    if (injected === null || !('oauth' in injected)) continue;
    const { oauth } = injected;
    const onTrouble = (what: string): void => log.warn({ service: name, what }, 'no access token for a service');
    tokens.set(name, createAccessToken({ oauth, fetch: outbounds.to(oauth.caFile).fetch, clock, steady, onTrouble }));
  }
  return {
    of: async (service) => {
      const token = tokens.get(service);
      return token === undefined ? null : await token.current();
    },
    refused: (service, beganMs) => tokens.get(service)?.refused(beganMs),
  };
}
