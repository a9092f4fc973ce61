// The questions of `lictor init`: few, each with what it found as the proposed answer.
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import type { OidcProvider } from '../config/config.ts';
import { isLoopback, parsePlainUrl } from '../config/sections/public-url.ts';
import type { Answers } from '../operations/init/answers.ts';
import { LOCAL_URLS, readClientSettings } from '../operations/init/client-settings.ts';
import { examinePrefect, findPrefect, type PrefectSeen } from '../operations/init/examine-prefect.ts';
import { failed, type Seen } from '../operations/init/seen.ts';
import type { CliContext } from './context.ts';
import type { Prompter } from './prompter.ts';
import { printable } from './text.ts';

/** Answers with the secrets that a person typed; null: none was needed. */
export interface Given {
  readonly answers: Answers;
  readonly authString: string | null;
  readonly clientSecret: string | null;
}

export interface Asking {
  readonly context: CliContext;
  readonly prompter: Prompter;
  /** Prints what was found wrong. */
  readonly show: (seen: Seen) => void;
}

export async function askForAnswers(asking: Asking): Promise<Given> {
  const { prefect, authString } = await askForPrefect(asking);
  const place = await askForPlace(asking);
  const { provider, clientSecret } = await askForProvider(asking);
  const admins = await askForAdmins(asking, provider.issuer !== undefined);
  return { answers: { prefect_url: [...prefect], ...place, ...provider, admins }, authString, clientSecret };
}

/** Repeats until Prefect answers. */
async function askForPrefect(asking: Asking): Promise<{ readonly prefect: readonly string[]; readonly authString: string | null }> {
  const { context, prompter, show } = asking;
  const known = readClientSettings(context.env);
  let proposed = known.url ?? (await findPrefect(LOCAL_URLS)) ?? '';
  for (;;) {
    const urls = (await prompter.text('Address of the Prefect server', proposed)).split(/[\s,]+/);
    const examine = (authString: string | null): Promise<PrefectSeen> =>
      examinePrefect({ urls, authString, caFile: known.caFile ?? null, publicUrl: undefined, env: context.env });
    let authString = known.authString ?? null;
    let seen = await examine(authString);
    if (seen.needsAuthString) {
      authString = await prompter.secret("Prefect's auth string, user:password (PREFECT_SERVER_API_AUTH_STRING)");
      seen = await examine(authString);
    }
    if (!failed(seen)) return { prefect: urls, authString: seen.isOpen ? null : authString };
    show(seen);
    proposed = urls.join(',');
  }
}

type Place = Pick<Answers, 'public_url' | 'tls'>;

async function askForPlace({ context, prompter }: Asking): Promise<Place> {
  const publicUrl = await prompter.text('Address that people and workers will type (a trial: http://localhost:8200)', `https://${hostname()}`);
  const host = parsePlainUrl(publicUrl)?.hostname ?? '';
  if (!publicUrl.startsWith('https:')) return { public_url: publicUrl };
  if (isLoopback(host)) {
    context.out.write(`Lictor makes the certificate of ${printable(host)}. Clients need its authority (docs/how-to/certificates.md).\n`);
    return { public_url: publicUrl, tls: { self_made: true } };
  }
  const found = `/etc/letsencrypt/live/${host}`;
  const how = await prompter.choose('Certificate of that address', [
    { value: 'files', label: 'files of mine (PEM)' },
    { value: 'self', label: 'Lictor makes one; clients then need its authority' },
  ]);
  if (how === 'self') return { public_url: publicUrl, tls: { self_made: true } };
  const cert = await prompter.text('Certificate with its chain', existsSync(found) ? `${found}/fullchain.pem` : '/etc/lictor/chain.pem');
  const key = await prompter.text('Its private key', existsSync(found) ? `${found}/privkey.pem` : '/etc/lictor/key.pem');
  return { public_url: publicUrl, tls: { cert, key } };
}

type Provider = Pick<Answers, 'issuer' | 'client_id'>;

async function askForProvider({ prompter }: Asking): Promise<{ readonly provider: Provider; readonly clientSecret: OidcProvider['clientSecret'] }> {
  const kind = await prompter.choose('How people log in', [
    { value: 'oidc', label: 'OpenID Connect: Keycloak, Okta, Entra, Google ...' },
    { value: 'accounts', label: "Lictor's own accounts" },
  ]);
  if (kind === 'accounts') return { provider: {}, clientSecret: null };
  const issuer = await prompter.text('Issuer of the provider (Keycloak: https://HOST/realms/REALM)', '');
  const clientId = await prompter.text('Client ID there', 'lictor');
  const secret = await prompter.secret('Client secret (empty: a public client)');
  return { provider: { issuer, client_id: clientId }, clientSecret: secret === '' ? null : secret };
}

async function askForAdmins({ prompter }: Asking, hasProvider: boolean): Promise<string[]> {
  const question = hasProvider ? 'Who administers Lictor: group:NAME or a user name' : 'Name of the first administrator';
  return (await prompter.text(question, hasProvider ? '' : 'admin')).split(/\s*,\s*/);
}
