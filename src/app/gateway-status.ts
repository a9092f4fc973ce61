// What the health page of the console asks the parts of this process.
import type { GatewayStatus } from '../edge/http/api/health/gateway-status.ts';
import type { PrefectWatch } from '../edge/nginx/watch-prefect.ts';
import type { ExternalProvider } from '../identity/authn/external/provider.ts';
import type { Jwts } from '../identity/authn/jwt/verify.ts';
import type { ProcessServices } from './process-services.ts';
import { sharedStoreOf } from './shared-store.ts';

export interface StatusParts {
  readonly node: string;
  readonly providers: readonly ExternalProvider[];
  readonly jwts: Pick<Jwts, 'keys'>;
  readonly prefect: Pick<PrefectWatch, 'status'>;
}

export function createGatewayStatus(
  shared: Pick<ProcessServices, 'running' | 'ledgerWatch' | 'exports' | 'membership' | 'replication'>,
  { node, providers, jwts, prefect }: StatusParts,
): GatewayStatus {
  const { running, ledgerWatch, exports } = shared;
  return {
    node,
    sharedStore: () => sharedStoreOf(shared, node),
    async providers() {
      const external = await Promise.all(providers.map(async (provider) => [provider.idp, await provider.status()] as const));
      const workloads = [...jwts.keys()].map(([idp, keys]) => [idp, { metadata: null, keys }] as const);
      return new Map([...external, ...workloads]);
    },
    servers: prefect.status,
    families: () => running().families,
    sinks: exports.status,
    workers: () => running().workers,
    watch: ledgerWatch.read,
  };
}
