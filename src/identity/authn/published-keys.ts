// Where an issuer publishes its keys, and how Lictor reads them: only public signature keys of accepted types.
import type { JWK } from 'jose';
import type { JwtProvider } from '../../config/config.ts';
import { claim, isClaims } from './jwt/compact.ts';
import { type Outbound, OutboundError } from './outbound.ts';

const MAX_KEYS = 100;
const KEY_TYPES: readonly unknown[] = ['RSA', 'EC', 'OKP'];
/** RFC 7517 4, RFC 7518 6: never the members of a private or a shared key. */
const PUBLIC_MEMBERS = ['kty', 'use', 'key_ops', 'alg', 'kid', 'n', 'e', 'crv', 'x', 'y'] as const;

/** Throws OutboundError, which names the host and what failed. */
export async function discoverKeys({ issuer, jwksUri }: Pick<JwtProvider, 'issuer' | 'jwksUri'>, outbound: Pick<Outbound, 'fetch'>): Promise<readonly JWK[]> {
  return await fetchKeys(jwksUri ?? (await discover(issuer, outbound)), outbound);
}

/** Throws OutboundError, which names the host and what failed. */
export async function fetchKeys(uri: string, outbound: Pick<Outbound, 'fetch'>): Promise<readonly JWK[]> {
  const keys = claim(await fetchJson(uri, outbound), 'keys');
  if (!Array.isArray(keys)) throw new OutboundError(`${hostOf(uri)} published no keys`);
  return keys.slice(0, MAX_KEYS).flatMap(publicKey);
}

/** OpenID Connect Discovery 1.0, 4: the document must be of exactly this issuer. */
async function discover(issuer: string, outbound: Pick<Outbound, 'fetch'>): Promise<string> {
  const metadata = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, outbound);
  const uri = claim(metadata, 'jwks_uri');
  if (claim(metadata, 'issuer') !== issuer) throw new OutboundError(`${hostOf(issuer)} describes another issuer`);
  if (typeof uri !== 'string' || !isTrustworthy(uri, issuer)) throw new OutboundError(`${hostOf(issuer)} names no address of its keys that can be trusted`);
  return uri;
}

/** Plain http only at the host of an issuer that has plain http itself: `lictor check` accepts that on loopback alone. */
function isTrustworthy(uri: string, issuer: string): boolean {
  if (!URL.canParse(uri)) return false;
  const { protocol, hostname, username } = new URL(uri);
  if (username !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && new URL(issuer).protocol === 'http:' && new URL(issuer).hostname === hostname);
}

async function fetchJson(url: string, outbound: Pick<Outbound, 'fetch'>): Promise<Readonly<Record<string, unknown>>> {
  const answer = await outbound.fetch(url, { headers: { accept: 'application/json, application/jwk-set+json' } });
  const text = await answer.text();
  if (answer.status !== 200) throw new OutboundError(`${hostOf(url)} answered ${answer.status}`);
  const value = parse(text);
  if (!isClaims(value)) throw new OutboundError(`${hostOf(url)} sent no JSON object`);
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An empty list for any other key, so that an unreadable key does not invalidate the others. */
function publicKey(value: unknown): readonly JWK[] {
  if (!isClaims(value) || !KEY_TYPES.includes(claim(value, 'kty')) || ![undefined, 'sig'].includes(textOf(claim(value, 'use')))) return [];
  return [Object.fromEntries(PUBLIC_MEMBERS.flatMap((name) => (Object.hasOwn(value, name) ? [[name, value[name]]] : [])))];
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}

function hostOf(url: string): string {
  return new URL(url).host;
}
