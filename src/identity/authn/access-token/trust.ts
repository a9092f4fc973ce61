// How much Lictor trusts a provider, as a short text. It is stored with every token that depends on that provider.
import { createHash } from 'node:crypto';
import type { IdentityProvider, OidcProvider, SamlProvider } from '../../../config/config.ts';

/** Another issuer, audience, rule or principal claim changes the text, and ends the tokens of the former one. */
export function trustIn(provider: IdentityProvider): string {
  return shortHash(provider);
}

/** The text of each provider, for `store/orphaned-runs.ts`. */
export function trusts(providers: readonly IdentityProvider[]): readonly { readonly idp: string; readonly trust: string }[] {
  return providers.map((provider) => ({ idp: provider.id, trust: trustIn(provider) }));
}

/**
 * The provider that people log in by: with another issuer, or metadata of another place, the same names mean other people.
 * A new secret, other scopes or another groups claim change nothing here: the next refresh reads them again.
 */
export function wordOf(provider: OidcProvider | SamlProvider): string {
  return shortHash(provider.type === 'oidc' ? [provider.type, provider.issuer] : [provider.type, provider.metadata]);
}

function shortHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
}
