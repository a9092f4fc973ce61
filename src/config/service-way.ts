// The path of calls of a service: through nginx alone, or also through the service proxy; and the rules that both share.
import type { Config } from './config.ts';
import type { Service, ServiceServer } from './service.ts';

/** nginx alone adds a header, limits, and chooses among servers. All else is done by the service proxy (src/proxies/egress/proxy). */
export function goesThroughProxy(service: Service): boolean {
  return service.cache.length > 0 || service.retries !== null || isHealthChecked(service) || needsPerCallAuth(service);
}

/** A single server needs no health check. */
export function isHealthChecked({ health, servers }: Pick<Service, 'health' | 'servers'>): boolean {
  return health !== null && servers.length > 1;
}

export function needsPerCallAuth({ injected }: Pick<Service, 'injected'>): boolean {
  return injected !== null && ('query' in injected || 'sigv4' in injected);
}

/** The decision carries the access token. */
export function hasToken({ injected }: Pick<Service, 'injected'>): boolean {
  return injected !== null && 'oauth' in injected;
}

/** The `Host` header for a server. */
export function hostOf(service: Service, server: ServiceServer): string {
  const isOwn = isHealthChecked(service) || service.retries !== null || needsPerCallAuth(service);
  return new URL((isOwn ? server : (service.servers[0] ?? server)).origin).host;
}

/** The mark of a server that is down has this name too. */
export function serverId({ name }: Pick<Service, 'name'>, { origin }: Pick<ServiceServer, 'origin'>): string {
  return `${name} ${origin}`;
}

/** Request headers of the client that reach the service beside the built-in ones. */
export function forwardedHeaders(service: Service, config: Pick<Config, 'forwardHeaders'>): readonly string[] {
  const own = injectedHeader(service)?.toLowerCase();
  return [...new Set([...config.forwardHeaders, ...service.forwardHeaders])].filter((header) => header !== own);
}

function injectedHeader({ injected }: Service): string | undefined {
  if (injected === null) return undefined;
  return 'header' in injected ? injected.header : 'Authorization';
}
