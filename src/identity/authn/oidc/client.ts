// The metadata of an OpenID Provider (OpenID Connect Discovery), cached and read again from time to time.
import * as openid from 'openid-client';
import type { OidcProvider } from '../../../config/config.ts';
import { isLoopback } from '../../../config/sections/public-url.ts';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import { type Outbound, OutboundError } from '../outbound.ts';
import { createPublished, type PublishedStatus } from '../published.ts';
import { createKeys, type Keys } from './keys.ts';

export interface OidcClient {
  readonly configuration: openid.Configuration;
  readonly metadata: openid.ServerMetadata;
  readonly keys: Keys;
}

/** The metadata does not fit lictor.yaml. `message` names the difference. */
export class MetadataError extends Error {
  override readonly name = 'MetadataError';
}

/** Both throw OutboundError or openid-client's errors if they cannot read the metadata, MetadataError if it does not fit. */
export interface Discovery {
  /** Cached metadata is used while the provider does not answer. */
  client(): Promise<OidcClient>;
  /** The provider has answered a moment ago: for use before Lictor sends a browser there. */
  present(): Promise<OidcClient>;
  /** `keys`: null before the first metadata. */
  status(): { readonly metadata: PublishedStatus; readonly keys: PublishedStatus | null };
}

export interface DiscoveryParts {
  readonly config: OidcProvider;
  readonly outbound: Pick<Outbound, 'fetch'>;
  readonly clock: Clock;
  readonly steady: SteadyClock;
}

const MAX_AGE_MS = 10 * 60_000;
/** Lictor treats a provider that answered within this time as available. */
const PRESENT_MS = 10_000;
/** After a failure. Otherwise every visitor would cause a request. */
const PAUSE_MS = 2000;

export function createDiscovery(parts: DiscoveryParts): Discovery {
  const load = (): Promise<OidcClient> => discover(parts, published.latest()?.value.keys);
  const published = createPublished({ load, steady: parts.steady, failurePauseMs: PAUSE_MS });
  return {
    status: () => ({ metadata: published.status(), keys: published.latest()?.value.keys.status() ?? null }),
    async client() {
      const known = published.latest();
      if (known === undefined) return await published.read();
      if (known.ageMs > MAX_AGE_MS) published.read().catch(() => undefined);
      return known.value;
    },
    async present() {
      const known = published.latest();
      return known !== undefined && known.ageMs <= PRESENT_MS ? known.value : await published.read();
    },
  };
}

async function discover({ config, outbound, ...clocks }: DiscoveryParts, formerKeys: Keys | undefined): Promise<OidcClient> {
  const plainHttp = new URL(config.issuer).protocol === 'http:';
  const configuration = await openid.discovery(
    new URL(config.issuer),
    config.clientId,
    { [openid.clockTolerance]: 30 },
    config.clientSecret === null ? openid.None() : clientSecret(config.clientSecret),
    {
      [openid.customFetch]: (url, { method, headers, body, signal }) => outbound.fetch(url, { method, headers, body: plainBody(body), signal }),
      // lictor.yaml accepts http for loopback alone.
      execute: plainHttp ? [openid.allowInsecureRequests] : [],
    },
  );
  const metadata = configuration.serverMetadata();
  checkMetadata(config, metadata);
  const keysUrl = metadata.jwks_uri ?? '';
  return { configuration, metadata, keys: formerKeys?.url === keysUrl ? formerKeys : createKeys(keysUrl, outbound, clocks) };
}

/**
 * The issuer must be equal to the letter: openid-client accepts Entra's `common` and `organizations`, where people of every
 * organisation could log in. Endpoints may have plain http only at a provider on loopback, and then on loopback as well.
 */
function checkMetadata({ issuer }: OidcProvider, metadata: openid.ServerMetadata): void {
  const plainHttp = new URL(issuer).protocol === 'http:';
  if (metadata.issuer !== issuer) throw new MetadataError(`the provider calls itself ${JSON.stringify(metadata.issuer)}: write exactly that as issuer`);
  for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const) {
    const url = metadata[name];
    if (url === undefined || !URL.canParse(url)) throw new MetadataError(`the metadata has no ${name}`);
  }
  for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint', 'end_session_endpoint'] as const) {
    const url = metadata[name];
    if (url === undefined) continue;
    const { protocol, hostname } = new URL(url);
    if (protocol !== 'https:' && !(plainHttp && protocol === 'http:' && isLoopback(hostname))) throw new MetadataError(`${name} is no https address`);
  }
}

/** In the body if the provider accepts it: some providers decode `Authorization: Basic` (RFC 6749, 2.3.1) wrongly. */
function clientSecret(secret: string): openid.ClientAuth {
  const [post, basic] = [openid.ClientSecretPost(secret), openid.ClientSecretBasic(secret)];
  return (server, client, body, headers) => {
    const inBody = server.token_endpoint_auth_methods_supported?.includes('client_secret_post') === true;
    (inBody ? post : basic)(server, client, body, headers);
  };
}

/** openid-client sends only forms. */
function plainBody(body: openid.FetchBody): string | URLSearchParams | null {
  if (body === undefined || body === null || typeof body === 'string' || body instanceof URLSearchParams) return body ?? null;
  throw new OutboundError('the body is not a form');
}
