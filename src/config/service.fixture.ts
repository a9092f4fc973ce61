// A service for tests, with only a name and routes.
import type { Service } from './service.ts';

export function bareService(name: string, routes: Service['routes'], more: Partial<Service> = {}): Service {
  const nothing = {
    servers: [],
    balance: 'round_robin' as const,
    path: '',
    caFile: null,
    certificate: null,
    injected: null,
    forwardHeaders: [],
    limit: null,
    sockets: false,
    cache: [],
    retries: null,
    health: null,
  };
  return { ...nothing, name, routes, timeoutSeconds: 1, ...more };
}
