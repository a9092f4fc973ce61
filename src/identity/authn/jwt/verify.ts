// Workload JWTs as credentials: the token kind for the authenticator.
import type { Config, JwtProvider } from '../../../config/config.ts';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import type { TokenKind } from '../authenticator.ts';
import { identityPrincipal } from '../identity/principal.ts';
import type { Outbound } from '../outbound.ts';
import type { PublishedStatus } from '../published.ts';
import { createRoleBook } from '../roles.ts';
import { refuse } from '../verdict.ts';
import { looksLikeJwt } from './compact.ts';
import { createProveJwt, type ProveJwt } from './prove.ts';
import { createSignatureVerifier } from './signature.ts';

export interface Jwts {
  readonly prove: ProveJwt;
  readonly kind: TokenKind;
  /** Of the keys of each issuer, by identity provider. */
  keys(): ReadonlyMap<string, PublishedStatus>;
}

export interface JwtsParts {
  readonly config: Pick<Config, 'identityProviders' | 'roles'>;
  /** Sends requests to an issuer, with the authorities of its provider. */
  readonly outboundFor: (caFile: string | null) => Pick<Outbound, 'fetch'>;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  /** An issuer's keys could not be fetched. */
  readonly onError: (error: unknown) => void;
}

export function createJwts({ config, outboundFor, clock, steady, onError }: JwtsParts): Jwts {
  const roleBook = createRoleBook(config.roles);
  const providers = config.identityProviders.filter((provider): provider is JwtProvider => provider.type === 'jwt');
  const trusted = providers.map((provider) => ({
    provider,
    keys: createSignatureVerifier({ provider, outbound: outboundFor(provider.caFile), steady, onError }),
  }));
  const prove = createProveJwt(trusted, clock);
  return {
    prove,
    keys: () => new Map(trusted.map(({ provider, keys }) => [provider.id, keys.status()])),
    kind: {
      recognises: looksLikeJwt,
      async verify(text, carrier) {
        const proof = await prove(text);
        if (!proof.ok) return refuse(proof.reason);
        const credential = { id: proof.credentialId, carrier, expiresAtMs: proof.expiresAtMs, sessionId: null, alsoPresented: [] };
        return { ok: true, principal: identityPrincipal(proof.identity, roleBook), credential };
      },
    },
  };
}
