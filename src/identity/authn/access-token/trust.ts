// What a provider is trusted for, as a short text: kept with every token that was given on its word.
import { createHash } from 'node:crypto';
import type { IdentityProvider, OidcProvider, SamlProvider } from '../../../config/config.ts';

/** Another issuer, audience, rule or principal claim is another trust, and ends the tokens that were given under the one before. */
export function trustIn(provider: IdentityProvider): string {
  return shortHash(provider);
}

/** The same of each provider, for `store/orphaned-runs.ts`. */
export function trusts(providers: readonly IdentityProvider[]): readonly { readonly idp: string; readonly trust: string }[] {
  return providers.map((provider) => ({ idp: provider.id, trust: trustIn(provider) }));
}

/**
 * Whose word it is that people log in by: another issuer, or metadata from elsewhere, is somebody else under the same id, whose people are others.
 * A new secret, other scopes or another claim of groups is not: that is read anew at the next refresh.
 */
export function wordOf(provider: OidcProvider | SamlProvider): string {
  return shortHash(provider.type === 'oidc' ? [provider.type, provider.issuer] : [provider.type, provider.metadata]);
}

function shortHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
}
