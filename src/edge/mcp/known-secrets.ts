// The secrets of the configuration: no answer to an agent contains one.
import { readFileSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import type { Injected } from '../../config/service.ts';
import type { PostgresAddress } from '../../contract/store-address.ts';

type SecretParts = Pick<Config, 'prefect' | 'identityProviders' | 'services' | 'exports' | 'traces' | 'approvals' | 'scim' | 'storeAt' | 'storeListen'>;

export function knownSecrets({ prefect, identityProviders, services, exports, traces, approvals, scim, storeAt, storeListen }: SecretParts): readonly string[] {
  const { authString, apiKey, next } = prefect;
  // The password of an auth string is a secret without its name too.
  const passwords = [authString, next].flatMap((text) => text?.split(':').slice(1).join(':') ?? []);
  return [
    ...[authString, apiKey, next, ...passwords],
    ...identityProviders.map((provider) => ('clientSecret' in provider ? provider.clientSecret : null)),
    ...services.flatMap(({ injected }) => secretsOf(injected)),
    ...exports.flatMap(({ secret, headers }) => [secret, ...Object.values(headers).flatMap(secretsOfHeader)]),
    ...Object.values(traces?.headers ?? {}).flatMap(secretsOfHeader),
    ...approvals.map(({ notify }) => notify?.secret ?? null),
    ...scim.map(({ token }) => token),
    ...[storeAt, storeListen].flatMap((at) => (at === null || typeof at === 'string' ? [] : passwordsOf(at))),
  ].filter((secret) => secret !== null && secret !== '') as readonly string[];
}

/** A file that cannot be read has no password that Lictor uses. */
function passwordsOf({ url, passwordFile }: PostgresAddress): readonly string[] {
  const inUrl = decodeURIComponent(new URL(url).password);
  if (passwordFile === null) return [inUrl];
  try {
    return [inUrl, readFileSync(passwordFile, 'utf8').trim()];
  } catch {
    return [inUrl];
  }
}

function secretsOf(injected: Injected | null): readonly string[] {
  if (injected === null || 'sigv4' in injected) return [];
  if ('query' in injected) return [injected.query.value];
  return 'oauth' in injected ? [injected.oauth.clientSecret] : secretsOfHeader(injected.value);
}

/** The credential without its scheme; the password of a Basic one too. */
function secretsOfHeader(value: string): readonly string[] {
  const credential = value.replace(/^(?:Basic|Bearer) /i, '');
  if (!/^Basic /i.test(value)) return [credential];
  const decoded = Buffer.from(credential, 'base64').toString();
  return [credential, decoded.slice(decoded.indexOf(':') + 1)];
}
