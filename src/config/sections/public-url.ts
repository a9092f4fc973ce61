// public_url and listen: what is served, and where.
import { isIP } from 'node:net';
import { z } from 'zod';
import type { ListenAddress, PublicUrl } from '../config.ts';
import { type Complaint, reject } from '../schema/issues.ts';
import { hostPort, httpUrl } from '../schema/scalars.ts';

export const publicUrlSection = httpUrl
  .transform((text, issues): PublicUrl => {
    const parts = parsePlainUrl(text);
    if (parts === undefined) return reject(issues, NOT_PLAIN);
    const complaint = basePathComplaint(text, parts.path) ?? (parts.secure || isLoopback(parts.hostname) ? undefined : PLAIN_HTTP);
    if (complaint !== undefined) return reject(issues, complaint);
    return { origin: parts.origin, hostname: parts.hostname, port: parts.port, secure: parts.secure, basePath: parts.path };
  })
  .describe('What people and workers type: https://prefect.example.com, or with a path: https://example.com/prefect');

/** An address of the gateway for clients. */
export type PublicAddress = Pick<PublicUrl, 'origin' | 'basePath'>;

/** What clients set as PREFECT_API_URL. */
export function apiUrlOf({ origin, basePath }: PublicAddress): string {
  return `${origin}${basePath}/api`;
}

const NOT_PLAIN: Complaint = {
  message: 'must be scheme, host, maybe a port and maybe a path, and nothing else',
  remedy: 'Write it as https://prefect.example.com, https://prefect.example.com:8443 or https://example.com/prefect.',
};

const PLAIN_HTTP: Complaint = {
  message: 'plain http would show every token to the network',
  remedy: 'Write https:// and give tls.cert and tls.key; http is for localhost alone.',
};

/** Each segment begins with a letter or digit: none is empty, `.`, `..` or hidden. */
const BASE_PATH = /^(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;

/** The path is held against the text as it was written: a URL's own reading of it would resolve dot segments. */
function basePathComplaint(text: string, path: string): Complaint | undefined {
  const written = text.replace(/^https?:\/\/[^/]*/, '');
  if (written !== path && written !== `${path}/`)
    return { message: `has a path that is read as ${path || '/'}`, remedy: 'Write the path without dots, double or more slashes.' };
  if (!BASE_PATH.test(path))
    return {
      message: `has a path that cannot be served (${path})`,
      remedy: 'Use letters, digits, - _ and . in its parts, each beginning with a letter or digit: /prefect.',
    };
  if (RESERVED.has((path.split('/')[1] ?? '').toLowerCase()) || path.endsWith('/v2'))
    return {
      message: `has a path that Prefect uses for itself (${path})`,
      remedy: 'Use another one, /prefect, and start Prefect with PREFECT_UI_SERVE_BASE=/prefect.',
    };
  return undefined;
}

/** Prefect serves its UI below the same path, next to these paths. It takes a base that ends in /v2 for UI v2 only. */
const RESERVED = new Set(['api', 'docs', 'redoc', 'openapi.json']);

/** Default: the port of public_url, on loopback when public_url is loopback, else on every IPv4 address. */
export function listenSection({ publicUrl, tlsEndsInFront }: { readonly publicUrl: PublicUrl | undefined; readonly tlsEndsInFront: boolean }) {
  return z
    .union([address, z.array(address).min(1)])
    .optional()
    .transform((given, issues): readonly ListenAddress[] => {
      if (given === undefined && tlsEndsInFront) return reject(issues, NO_ADDRESS_BEHIND_PROXY);
      if (given === undefined) return publicUrl === undefined ? [] : [defaultListen(publicUrl)];
      const addresses = [given].flat();
      const texts = addresses.map(({ host, port }) => `${host}:${port}`);
      if (new Set(texts).size < texts.length) return reject(issues, { message: 'names an address twice', remedy: 'Remove one of the two.' });
      return addresses;
    })
    .describe('HOST:PORT, or a list; default from public_url.');
}

const NO_ADDRESS_BEHIND_PROXY: Complaint = {
  message: 'is missing beside tls_terminated_upstream',
  remedy: 'Give the address that the proxy in front forwards to: listen: 127.0.0.1:8200.',
};

/** An address of this machine. */
const address = hostPort.transform((text, issues): ListenAddress => {
  const { host, port } = splitHostPort(text);
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  const isAddress = isIP(bare) === (host.startsWith('[') ? 6 : 4);
  if ((isAddress || host === 'localhost') && port <= 65_535) return { host: host === 'localhost' ? '127.0.0.1' : host, port };
  return reject(issues, {
    message: 'must be an address of this machine and a port from 1 to 65535',
    remedy: 'Write it as 0.0.0.0:8443, 127.0.0.1:8200 or [::]:8443.',
  });
});

/** Of what `hostPort` has checked; the host in lower case, an IPv6 address in its brackets. */
export function splitHostPort(text: string): ListenAddress {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at).toLowerCase(), port: Number(text.slice(at + 1)) };
}

export interface PlainUrl {
  readonly origin: string;
  readonly hostname: string;
  readonly port: number;
  readonly secure: boolean;
  /** Without a trailing slash. */
  readonly path: string;
}

/** A URL of scheme, host, port and path alone, each in a strict alphabet; undefined otherwise. IPv6 hosts keep their brackets. */
export function parsePlainUrl(text: string): PlainUrl | undefined {
  if (!/^https?:\/\/(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:\/[A-Za-z0-9._~/-]*)?$/.test(text)) return undefined;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const secure = url.protocol === 'https:';
  const port = url.port === '' ? defaultPort(secure) : Number(url.port);
  return port === 0 ? undefined : { origin: url.origin, hostname: url.hostname, port, secure, path: url.pathname.replace(/\/+$/, '') };
}

/** The machine itself: names below localhost, 127.0.0.0/8, ::1. */
export function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]') return true;
  return isIP(hostname) === 4 && hostname.startsWith('127.');
}

function defaultPort(secure: boolean): number {
  return secure ? 443 : 80;
}

function defaultListen(publicUrl: PublicUrl): ListenAddress {
  const { hostname, port } = publicUrl;
  if (!isLoopback(hostname)) return { host: '0.0.0.0', port };
  return { host: hostname === '[::1]' || isIP(hostname) === 4 ? hostname : '127.0.0.1', port };
}
