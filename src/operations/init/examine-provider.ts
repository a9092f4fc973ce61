// The OpenID Provider as init finds it: its metadata, its clock, whether it accepts the client and knows the callback.
import type { OidcProvider } from '../../config/config.ts';
import { systemClock } from '../../contract/clock.ts';
import { createOutbound, type Outbound, OutboundError } from '../../identity/authn/outbound.ts';
import { fail, ok, type Verdict, warn } from '../doctor/finding.ts';
import { isHtml, jsonField, parseJson } from '../doctor/outside/http-probe.ts';
import { identityCheck } from '../doctor/outside/identity.ts';
import { tryClient } from '../doctor/outside/oidc-client.ts';
import { failed, type Seen, sorted } from './seen.ts';

/** Never rejects. `callbackUrl`: what the provider must know. */
export async function examineProvider(provider: OidcProvider, callbackUrl: string): Promise<Seen> {
  const heard: Heard = {};
  const outboundFor = (caFile: string | null): Outbound => listening(createOutbound({ caFile }), heard);
  const verdicts = (await identityCheck({ provider, outboundFor, clock: systemClock })?.()) ?? [];
  const now = verdicts.map((verdict) => (verdict.status === 'fail' && verdict.message.startsWith(provider.id) ? reasonOf(provider, heard, verdict) : verdict));
  if (failed({ now })) return { now, later: [] };
  const { body = '' } = heard;
  const outbound = createOutbound({ caFile: provider.caFile });
  try {
    const client = await checkClient(provider, outbound, callbackUrl);
    const first = sorted(now);
    return { now: [...first.now, ...checkPkce(provider, body), ...client.now], later: [...first.later, ...client.later, ...groupsNote(body)] };
  } finally {
    await outbound.close();
  }
}

interface Heard {
  error?: string;
  status?: number;
  location?: string | null;
  body?: string;
  html?: boolean;
}

/** Notes the answer, so that a failure can be named by its cause. */
function listening(outbound: Outbound, heard: Heard): Outbound {
  return {
    close: outbound.close,
    async fetch(url, request) {
      try {
        const answer = await outbound.fetch(url, request);
        const body = await answer.clone().text();
        const html = isHtml({ headers: Object.fromEntries(answer.headers), body });
        Object.assign(heard, { status: answer.status, location: answer.headers.get('location'), body, html });
        return answer;
      } catch (error) {
        if (error instanceof OutboundError) heard.error = error.message;
        throw error;
      }
    },
  };
}

function reasonOf({ issuer }: OidcProvider, { error, status = 0, location, body = '', html = false }: Heard, verdict: Verdict): Verdict {
  if (error !== undefined && /CERT|SIGNED|SIGNATURE/.test(error))
    return fail(`the certificate of the provider is not trusted: ${error}`, 'Name the authority that signed it in issuer_ca_file (PEM).');
  if (error !== undefined) return fail(`the provider is away: ${error}`, `Check issuer, and from this machine: curl ${metadataUrl(issuer)}`);
  if (status >= 300 && status < 400)
    return fail(`${metadataUrl(issuer)} redirects to ${location ?? 'another address'}`, 'Write the issuer as the provider itself names it.');
  if (html || status !== 200 || parseJson(body) === undefined)
    return fail(
      `${metadataUrl(issuer)} answers ${status}${html ? ' with a page' : ''}: no OpenID Provider is there`,
      'Keycloak: https://HOST/realms/REALM. Okta: https://ORG.okta.com. Entra: https://login.microsoftonline.com/TENANT/v2.0.',
    );
  const named = jsonField(body, 'issuer');
  if (typeof named === 'string') return fail(`the provider calls itself ${named}, not ${issuer}`, `Write exactly that: issuer: ${named}`);
  return verdict;
}

function metadataUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

function checkPkce({ clientSecret }: OidcProvider, body: string): readonly Verdict[] {
  if (names(body, 'code_challenge_methods_supported').includes('S256')) return [];
  const message = 'the provider does not offer PKCE with S256';
  if (clientSecret === null) return [fail(message, 'Give client_secret_file: a client without a secret needs PKCE.')];
  return [warn(message, 'Turn PKCE with S256 on there. Without it, only the client secret and the nonce protect a login.')];
}

function names(body: string, key: string): readonly unknown[] {
  const value = jsonField(body, key);
  return Array.isArray(value) ? value : [];
}

function groupsNote(body: string): readonly Verdict[] {
  if ([...names(body, 'claims_supported'), ...names(body, 'scopes_supported')].some((name) => name === 'groups')) return [];
  return [
    warn(
      'the metadata of the provider names no claim "groups"',
      'lictor whoami shows the groups of a login. docs/how-to/login.md shows how providers send them.',
    ),
  ];
}

async function checkClient(config: OidcProvider, outbound: Pick<Outbound, 'fetch'>, callbackUrl: string): Promise<Seen> {
  const { notBegun, rejected, callbackStatus } = await tryClient(config, outbound, callbackUrl);
  if (notBegun !== null)
    return { now: [fail(`a login cannot begin: ${notBegun}`, 'Check issuer and client_id, and the metadata of the provider.')], later: [] };
  if (rejected !== null)
    return { now: [fail(`the provider rejects the client: ${rejected}`, 'Check client_id and the secret in client_secret_file.')], later: [] };
  const now = [ok('the provider knows the client')];
  if (callbackStatus === null) return { now, later: [] };
  return {
    now,
    later: [warn(`the provider does not accept the callback ${callbackUrl} yet (${callbackStatus})`, 'Register it there as a redirect URI of the client.')],
  };
}
