// OAuth client credentials (RFC 6749, 4.4) of an OpenID Provider: Keycloak, Okta, Entra.
import {
  allowInsecureRequests,
  ClientError,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  clientCredentialsGrant,
  customFetch,
  discovery,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import type { Clock } from '../../../contract/clock.ts';
import { AskError, ask, isLasting } from '../ask.ts';
import { type CredentialSource, expiryOf, isBearer, type Obtained, SourceError } from '../credential.ts';
import type { Transport } from '../transport.ts';

export interface ClientCredentials {
  readonly issuer: URL;
  readonly clientId: string;
  /** Read at every renewal, so that a rotated secret is used. Throws SourceError. */
  readonly readSecret: () => string;
  readonly scope: string | null;
  /** Sent as `audience` (Okta, Auth0). Keycloak uses the client's mapper instead. */
  readonly audience: string | null;
}

/** For an answer that names no lifetime. */
const UNKNOWN_LIFE_MS = 300_000;

export function clientCredentials(client: ClientCredentials, transport: Transport, clock: Clock): CredentialSource {
  const name = `The identity provider ${client.issuer.host}`;
  let known: { readonly configuration: Configuration; readonly secret: string } | undefined;
  return {
    name,
    async obtain(signal) {
      const askedMs = clock();
      try {
        const secret = client.readSecret();
        if (known?.secret !== secret) known = { configuration: await discover(client, secret, fetchBy(transport, signal)), secret };
        known.configuration[customFetch] = fetchBy(transport, signal);
        const answer = await clientCredentialsGrant(known.configuration, {
          ...(client.scope !== null && { scope: client.scope }),
          ...(client.audience !== null && { audience: client.audience }),
        });
        return obtained(answer.access_token, answer.expires_in, askedMs, name);
      } catch (error) {
        known = undefined;
        throw asSourceError(error, name);
      }
    },
  };
}

async function discover({ issuer, clientId }: ClientCredentials, secret: string, fetch: Fetch): Promise<Configuration> {
  const insecure = issuer.protocol === 'http:';
  const options = { [customFetch]: fetch, ...(insecure && { execute: [allowInsecureRequests] }) };
  const found = await discovery(issuer, clientId, undefined, ClientSecretBasic(secret), options);
  // In the body if the provider accepts it: not every provider decodes the escapes that RFC 6749, 2.3.1 requires in the header.
  if (found.serverMetadata().token_endpoint_auth_methods_supported?.includes('client_secret_post') !== true) return found;
  const other = new Configuration(found.serverMetadata(), clientId, undefined, ClientSecretPost(secret));
  if (insecure) allowInsecureRequests(other);
  return other;
}

/** `expires_in` and `exp` are whole seconds: up to one second of a token's life is lost at once. Of a very short life at most half is subtracted. */
const ROUNDED_S = 1;

function obtained(secret: string, expiresIn: number | undefined, askedMs: number, name: string): Obtained {
  if (!isBearer(secret)) throw new SourceError(`${name} sent a token that cannot stand in a header.`, { final: true });
  const expiresAtMs = expiresIn === undefined ? expiryOf(secret) : askedMs + (expiresIn - Math.min(ROUNDED_S, expiresIn / 2)) * 1000;
  return { secret, expiresAtMs, lookAgainMs: expiresAtMs === null ? UNKNOWN_LIFE_MS : null };
}

type Fetch = (url: string, options: { readonly method: string; readonly headers: Record<string, string>; readonly body?: unknown }) => Promise<Response>;

function fetchBy(transport: Transport, signal: AbortSignal): Fetch {
  return async (url, { method, headers, body }) => {
    const text = body instanceof URLSearchParams || typeof body === 'string' ? body.toString() : '';
    const answer = await ask(transport, new URL(url), { method, headers, body: text, signal });
    const plain = Object.entries(answer.headers).flatMap(([key, value]): [string, string][] => (value === undefined ? [] : [[key, String(value)]]));
    return new Response(answer.status === 204 || answer.status === 304 ? null : answer.body, { status: answer.status, headers: plain });
  };
}

/** Only the code of the provider's error is shown: descriptions may quote the request. */
function asSourceError(error: unknown, name: string): SourceError {
  if (error instanceof SourceError) return error;
  if (error instanceof ResponseBodyError) return new SourceError(`${name} refuses the client: ${error.error}.`, { final: error.status < 500, cause: error });
  if (error instanceof WWWAuthenticateChallengeError) return new SourceError(`${name} refuses the client (${error.status}).`, { final: true, cause: error });
  const asked = error instanceof ClientError ? error.cause : error;
  if (asked instanceof AskError) return new SourceError(asked.message, { final: isLasting(asked.why), cause: error });
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
  return new SourceError(`${name} gave no usable answer${code}.`, { final: false, cause: error });
}
