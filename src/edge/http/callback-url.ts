// Where a provider sends people back to.
import type { RouteParts } from './parts.ts';

/** As the provider knows it: below public_url, whatever the request says. */
export function callbackUrl({ config, prefix }: Pick<RouteParts, 'config' | 'prefix'>, idp: string): string {
  return `${config.publicUrl.origin}${prefix}/callback/${idp}`;
}
