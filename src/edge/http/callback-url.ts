// The address to which a provider redirects people after a login.
import type { RouteParts } from './parts.ts';

/** The registered address: always below public_url, never taken from the request. */
export function callbackUrl({ config, prefix }: Pick<RouteParts, 'config' | 'prefix'>, idp: string): string {
  return `${config.publicUrl.origin}${prefix}/callback/${idp}`;
}
