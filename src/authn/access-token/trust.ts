// What a provider is trusted for, as a short text: kept with every token that was given on its word.
import { createHash } from 'node:crypto';
import type { IdentityProvider } from '../../config/config.ts';

/** Another issuer, audience, rule or principal claim is another trust, and ends the tokens that were given under the one before. */
export function trustIn(provider: IdentityProvider): string {
  return createHash('sha256').update(JSON.stringify(provider)).digest('hex').slice(0, 32);
}
