// services[].inject.oauth: where the gateway gets access tokens for a service, and as which client.
import { resolve } from 'node:path';
import type { Keys, Report } from '../report.ts';
import type { WireService } from '../schema/services.ts';
import type { ServiceOauth } from '../service.ts';
import { readPemFile } from './pem-file.ts';
import { isLoopback } from './public-url.ts';
import { type CredentialPlace, readSecret } from './service-secret.ts';

type Wire = Extract<NonNullable<WireService['inject']>, { oauth: unknown }>['oauth'];

/** Undefined: reported. */
export function readOauth(wire: Wire, place: CredentialPlace): { readonly oauth: ServiceOauth } | undefined {
  const { keys, report } = place;
  const sound = checkTokenUrl(wire.token_url, [...keys, 'token_url'], report);
  const clientSecret = readSecret({ given: wire.client_secret, file: wire.client_secret_file, key: 'client_secret' }, place);
  const caFile = readAuthorities(wire.ca_file, place);
  if (!sound || clientSecret === undefined || caFile === undefined) return undefined;
  const { token_url: tokenUrl, client_id: clientId, client_auth: clientAuth = 'basic', scope = null, audience = null } = wire;
  return { oauth: { tokenUrl, clientId, clientSecret, clientAuth, scope, audience, caFile } };
}

/** The client's secret goes there: its address must not be one that anybody on the way can answer for. */
function checkTokenUrl(text: string, keys: Keys, report: Report): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '' || url.hash !== '') {
    report(keys, 'is no plain address', 'Write it as https://idp.example.com/oauth/token, without user, password or #.');
    return false;
  }
  if (url.protocol === 'https:' || isLoopback(url.hostname)) return true;
  report(keys, 'is plain http: anybody on the way could read the secret of the client', 'Write https://; http is for localhost alone.');
  return false;
}

/** Null: the system's authorities. Undefined: reported. */
function readAuthorities(path: string | undefined, { keys, baseDir, report }: CredentialPlace): string | null | undefined {
  if (path === undefined) return null;
  const file = resolve(baseDir, path);
  if (readPemFile(file) !== null) return file;
  const remedy = "Give the certificates of the authorities that signed the token endpoint's own, as PEM.";
  return void report([...keys, 'ca_file'], `${file} cannot be read as PEM certificates`, remedy);
}
