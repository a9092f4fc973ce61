// public_url and listen: what is served, and where.
import { isIP } from 'node:net';
import type { ListenAddress, PublicUrl } from '../config.ts';
import type { Report } from '../report.ts';

/** Undefined when it is wrong; then it has been reported. */
export function readPublicUrl(text: string, report: Report): PublicUrl | undefined {
  const complain = (message: string, remedy: string) => report(['public_url'], message, remedy);
  const parts = parsePlainUrl(text);
  if (parts === undefined) {
    complain(
      'must be scheme, host, maybe a port and maybe a path, and nothing else',
      'Write it as https://prefect.example.com, https://prefect.example.com:8443 or https://example.com/prefect.',
    );
    return undefined;
  }
  const problem = basePathProblem(text, parts.path);
  if (problem !== undefined) {
    complain(problem.message, problem.remedy);
    return undefined;
  }
  if (!parts.secure && !isLoopback(parts.hostname)) {
    complain('plain http would show every token to the network', 'Write https:// and give tls.cert and tls.key; http is for localhost alone.');
    return undefined;
  }
  return { origin: parts.origin, hostname: parts.hostname, port: parts.port, secure: parts.secure, basePath: parts.path };
}

/** Each segment begins with a letter or digit: none is empty, `.`, `..` or hidden. */
const BASE_PATH = /^(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;

/** The path is held against the text as it was written: a URL's own reading of it would resolve dot segments. */
function basePathProblem(text: string, path: string): { readonly message: string; readonly remedy: string } | undefined {
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

/** Prefect serves its UI below the same path, next to these of its own; a base that ends in /v2 it takes for UI v2's alone. */
const RESERVED = new Set(['api', 'docs', 'redoc', 'openapi.json']);

/** Default: the port of public_url, on loopback when public_url is loopback, else on every IPv4 address. */
export function readListen(listen: string | readonly string[] | undefined, publicUrl: PublicUrl | undefined, report: Report): readonly ListenAddress[] {
  if (listen === undefined) return publicUrl === undefined ? [] : [defaultListen(publicUrl)];
  const isList = typeof listen !== 'string';
  const addresses = (isList ? listen : [listen]).flatMap((text, index) => readAddress(text, isList ? ['listen', index] : ['listen'], report));
  const texts = addresses.map(({ host, port }) => `${host}:${port}`);
  if (new Set(texts).size < texts.length) report(['listen'], 'names an address twice', 'Remove one of the two.');
  return addresses;
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

function readAddress(text: string, keys: readonly PropertyKey[], report: Report): readonly ListenAddress[] {
  const match = /^(.+):([0-9]+)$/.exec(text);
  const host = (match?.[1] ?? '').toLowerCase();
  const port = Number(match?.[2] ?? 0);
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  const isAddress = isIP(bare) === (host.startsWith('[') ? 6 : 4);
  if ((!isAddress && host !== 'localhost') || port < 1 || port > 65_535) {
    report(keys, 'must be an address of this machine and a port from 1 to 65535', 'Write it as 0.0.0.0:8443, 127.0.0.1:8200 or [::]:8443.');
    return [];
  }
  return [{ host: host === 'localhost' ? '127.0.0.1' : host, port }];
}
