// Clients that describe themselves: their id is the https address of a metadata document (draft-ietf-oauth-client-id-metadata-document-00).
// Lictor fetches it for a signed-in person, from a listed host, at a public address, and caches it for minutes.

import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { createIsPublic } from '../../contract/addresses.ts';
import type { SteadyClock } from '../../contract/clock.ts';
import { isListed, readHost } from '../../contract/destination.ts';
import { isLoopbackRedirect, isRedirectUri } from '../../contract/redirect-uri.ts';
import { createBoundedCounter } from '../authn/bounded-counter.ts';
import { createOutbound } from '../authn/outbound.ts';
import type { FoundClient, OAuthClient } from './clients.ts';

export const DOCUMENT_LIMITS = { bytes: 5 * 1024, cached: 100, cachedMs: 10 * 60_000, perMinute: 10, windowMs: 60_000, keys: 1000 } as const;

/** Passed in: tests have another one. No configuration and no environment variable changes it. */
export interface DocumentNetwork {
  /** Every address of a name. */
  lookup(host: string): Promise<readonly string[]>;
  isPublic(address: string): boolean;
  /** PEM file of the authorities; null: the system's. */
  readonly caFile: string | null;
  /** For the look-up and the answer together. */
  readonly timeoutMs: number;
}

export function documentNetwork(): DocumentNetwork {
  return {
    lookup: async (host) => (await lookup(host, { all: true, order: 'ipv4first' })).map(({ address }) => address),
    isPublic: createIsPublic(),
    caFile: null,
    timeoutMs: 3000,
  };
}

export interface ClientDocuments {
  /** The id is such an address, and lictor.yaml accepts it. Fetches nothing. */
  accepts(id: string): boolean;
  find(id: string, principalId: string): Promise<FoundClient>;
}

export interface ClientDocumentParts {
  /** Patterns of hosts, as `readPattern` gives them. */
  readonly hosts: readonly string[];
  /** Addresses that are accepted whatever their host is. */
  readonly ids: ReadonlySet<string>;
  readonly network: DocumentNetwork;
  readonly steady: SteadyClock;
}

export function createClientDocuments({ hosts, ids, network, steady }: ClientDocumentParts): ClientDocuments {
  const cache = new LRUCache<string, OAuthClient>({ max: DOCUMENT_LIMITS.cached, ttl: DOCUMENT_LIMITS.cachedMs });
  const fetches = createBoundedCounter(steady, DOCUMENT_LIMITS);
  const isAllowed = (url: URL): boolean => ids.has(url.href) || isListed(hosts, url.hostname);
  return {
    accepts(id) {
      const url = parseClientUrl(id);
      return url !== undefined && isAllowed(url);
    },
    async find(id, principalId) {
      const url = parseClientUrl(id);
      if (url === undefined) return invalid('The client_id is no address of a metadata document.');
      if (!isAllowed(url)) return { ok: false, reason: 'client-not-allowed', detail: `This gateway accepts no clients from ${url.host}.` };
      const cached = cache.get(id);
      if (cached !== undefined) return { ok: true, client: cached };
      if (fetches.add(principalId) > DOCUMENT_LIMITS.perMinute) return { ok: false, reason: 'rate-limited' };
      const found = await fetchClient(url, network);
      // Errors are not cached.
      if (found.ok) cache.set(id, found.client);
      return found;
    },
  };
}

/** https with a path and a host name, and in the one spelling that URL parsers give it: no dot segment, default port or upper case host. */
export function parseClientUrl(id: string): URL | undefined {
  const url = id.length <= 512 && id.startsWith('https://') ? URL.parse(id) : null;
  if (url === null || url.href !== id || url.pathname === '/' || id.includes('#')) return undefined;
  const { host, problem } = readHost(url.hostname);
  return url.username === '' && url.password === '' && problem === null && host === url.hostname ? url : undefined;
}

async function fetchClient(url: URL, network: DocumentNetwork): Promise<FoundClient> {
  const signal = AbortSignal.timeout(network.timeoutMs);
  const addresses = await before(signal, network.lookup(url.hostname)).catch(() => []);
  if (addresses.length === 0) return unavailable();
  if (!addresses.every(network.isPublic)) return { ok: false, reason: 'client-document-private' };
  const { caFile, timeoutMs } = network;
  const outbound = createOutbound({ caFile, timeoutMs, maxAnswerBytes: DOCUMENT_LIMITS.bytes, lookup: pinnedTo(addresses) });
  try {
    const answer = await outbound.fetch(url, { headers: { accept: 'application/json' }, signal });
    return readAnswer(url, answer, await answer.text());
  } catch {
    return unavailable();
  } finally {
    await outbound.close();
  }
}

function before<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return Promise.race([promise, new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))]);
}

/** The checked addresses, without a second look-up (DNS rebinding). */
function pinnedTo(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, { all: wantsAll }, callback) => {
    if (wantsAll === true) callback(null, all);
    else callback(null, all[0]?.address ?? '', all[0]?.family ?? 0);
  };
}

const JSON_TYPE = /^application\/(?:[a-z0-9.+-]+\+)?json(?:;|$)/i;

function readAnswer(url: URL, answer: Response, text: string): FoundClient {
  if (answer.status !== 200) return unavailable();
  if (!JSON_TYPE.test(answer.headers.get('content-type') ?? '')) return invalid('Its content type is not JSON.');
  const read = documentOf(url).safeParse(parseJson(text));
  if (!read.success) return invalid(read.error.issues[0]?.message ?? '');
  const { client_id: id, client_name: name, redirect_uris: redirectUris } = read.data;
  return { ok: true, client: { id, name, redirectUris, host: url.host } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A line of letters that a reader sees. */
const NAME = /^(?=.*[\p{L}\p{N}])[^\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]{1,60}$/u;

/** The messages are safe for pages and records: they quote nothing of the document. */
function documentOf(url: URL) {
  /** The document vouches for its own host, and for programs on the person's devices. */
  const isOwn = (uri: string): boolean => !uri.startsWith('https:') || new URL(uri).host === url.host;
  const redirectUri = z
    .string()
    .refine(isRedirectUri, 'A redirect URI has another form than https, http on loopback, or the scheme of an app.')
    .refine((uri) => isLoopbackRedirect(uri) || isOwn(uri), 'A redirect URI is on another host than the document.');
  const lists = (value: string) =>
    z
      .array(z.string())
      .optional()
      .refine((list) => list?.includes(value) !== false, `The client does not use ${value}.`);
  const noSecret = z.undefined('The client has a secret.').optional();
  return z.object(
    {
      client_id: z.literal(url.href, 'Its client_id is another address.'),
      client_name: z.string().regex(NAME, 'Its client_name has more than 60 letters, or invisible ones.').default(url.host),
      redirect_uris: z.array(redirectUri, 'It has no redirect_uris.').min(1, 'It has no redirect_uris.').max(20, 'It has more than 20 redirect URIs.'),
      token_endpoint_auth_method: z.literal('none', 'The client does not use the authentication method none.').optional(),
      grant_types: lists('authorization_code'),
      response_types: lists('code'),
      client_secret: noSecret,
      client_secret_expires_at: noSecret,
    },
    'It is no JSON object.',
  );
}

function invalid(detail: string): FoundClient {
  return { ok: false, reason: 'client-document-invalid', detail: `The metadata document of the client is not valid. ${detail}` };
}

function unavailable(): FoundClient {
  return { ok: false, reason: 'client-document-unavailable' };
}
