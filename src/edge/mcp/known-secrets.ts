// The secrets of the configuration: no answer to an agent contains one.
import type { Config } from '../../config/config.ts';
import type { Injected } from '../../config/service.ts';

type SecretParts = Pick<Config, 'prefect' | 'identityProviders' | 'services' | 'exports' | 'traces' | 'approvals' | 'scim'>;

export function knownSecrets({ prefect, identityProviders, services, exports, traces, approvals, scim }: SecretParts): readonly string[] {
  const { authString, apiKey, next } = prefect;
  // The password of an auth string is a secret without its name too.
  const passwords = [authString, next].flatMap((text) => text?.split(':').slice(1).join(':') ?? []);
  return [
    ...[authString, apiKey, next, ...passwords],
    ...identityProviders.map((provider) => ('clientSecret' in provider ? provider.clientSecret : null)),
    ...services.map(({ injected }) => secretOf(injected)),
    ...exports.flatMap(({ secret, headers }) => [secret, ...Object.values(headers)]),
    ...Object.values(traces?.headers ?? {}),
    ...approvals.map(({ notify }) => notify?.secret ?? null),
    ...scim.map(({ token }) => token),
  ].filter((secret) => secret !== null && secret !== '') as readonly string[];
}

function secretOf(injected: Injected | null): string | null {
  if (injected === null || 'sigv4' in injected) return null;
  if ('query' in injected) return injected.query.value;
  return 'oauth' in injected ? injected.oauth.clientSecret : injected.value.replace(/^(?:Basic|Bearer) /i, '');
}
