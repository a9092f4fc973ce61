// Who the provider says it is (OpenID Connect Discovery), read when it is first needed and now and then anew.
import * as openid from 'openid-client';
import type { OidcProvider } from '../../../config/config.ts';
import { isLoopback } from '../../../config/sections/public-url.ts';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import { type Outbound, OutboundError } from '../outbound.ts';
import { createKeys, type Keys } from './keys.ts';

export interface OidcClient {
  readonly configuration: openid.Configuration;
  readonly metadata: openid.ServerMetadata;
  readonly keys: Keys;
}

/** The metadata is there and does not fit lictor.yaml. `message` names what. */
export class MetadataError extends Error {
  override readonly name = 'MetadataError';
}

/** Both throw OutboundError or openid-client's errors when it cannot be had, MetadataError when it does not fit. */
export interface Discovery {
  /** What is known serves on while the provider is away. */
  client(): Promise<OidcClient>;
  /** Has answered just now: before a browser is sent there. */
  present(): Promise<OidcClient>;
}

export interface DiscoveryParts {
  readonly config: OidcProvider;
  readonly outbound: Pick<Outbound, 'fetch'>;
  readonly clock: Clock;
  readonly steady: SteadyClock;
}

const MAX_AGE_MS = 10 * 60_000;
/** A provider that answered so long ago is taken to be there. */
const PRESENT_MS = 10_000;
/** A provider that is away is not asked by every visitor. */
const PAUSE_MS = 2000;

export function createDiscovery(parts: DiscoveryParts): Discovery {
  const { steady } = parts;
  let known: { readonly client: OidcClient; readonly readMs: number } | undefined;
  let failed: { readonly error: unknown; readonly atMs: number } | undefined;
  let reading: Promise<OidcClient> | undefined;
  const read = (): Promise<OidcClient> => {
    reading ??= discover(parts, known?.client.keys)
      .then(
        (client) => {
          known = { client, readMs: steady() };
          failed = undefined;
          return client;
        },
        (error: unknown) => {
          failed = { error, atMs: steady() };
          throw error;
        },
      )
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
  /** A provider that has just failed is not asked again. */
  const readUnlessFailed = async (): Promise<OidcClient> => {
    if (failed !== undefined && steady() - failed.atMs < PAUSE_MS) throw failed.error;
    return await read();
  };
  return {
    async client() {
      if (known === undefined) return await readUnlessFailed();
      if (steady() - known.readMs > MAX_AGE_MS) readUnlessFailed().catch(() => undefined);
      return known.client;
    },
    present: async () => (known !== undefined && steady() - known.readMs <= PRESENT_MS ? known.client : await readUnlessFailed()),
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
      // lictor.yaml takes http for loopback alone.
      execute: plainHttp ? [openid.allowInsecureRequests] : [],
    },
  );
  const metadata = configuration.serverMetadata();
  checkMetadata(config, metadata);
  const keysUrl = metadata.jwks_uri ?? '';
  return { configuration, metadata, keys: formerKeys?.url === keysUrl ? formerKeys : createKeys(keysUrl, outbound, clocks) };
}

/**
 * The issuer to the letter: openid-client lets Entra's `common` and `organizations` through, where every organisation of the
 * world could log in. Endpoints in plain http only at a provider on loopback, and then on loopback as well.
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

/** In the body where the provider takes that: escaping in `Authorization: Basic` (RFC 6749, 2.3.1) is a thing that some read wrongly. */
function clientSecret(secret: string): openid.ClientAuth {
  const [post, basic] = [openid.ClientSecretPost(secret), openid.ClientSecretBasic(secret)];
  return (server, client, body, headers) => {
    const inBody = server.token_endpoint_auth_methods_supported?.includes('client_secret_post') === true;
    (inBody ? post : basic)(server, client, body, headers);
  };
}

/** openid-client sends forms and nothing else. */
function plainBody(body: openid.FetchBody): string | URLSearchParams | null {
  if (body === undefined || body === null || typeof body === 'string' || body instanceof URLSearchParams) return body ?? null;
  throw new OutboundError('a body that is no form');
}
