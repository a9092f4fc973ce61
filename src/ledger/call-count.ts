// What a batch of access lines says of the calls of services: for whoever keeps their credentials.
import type { RequestRecord } from './access-line.ts';

/** Of one service. */
export interface ServiceCalls {
  readonly service: string;
  /** Calls that were allowed and have gone to a server. */
  readonly made: number;
  /** When the last of those began that the service itself answered with 401; null: none. */
  readonly refusedMs: number | null;
}

export interface CallCount {
  clear(): void;
  add(record: RequestRecord): void;
  counted(): readonly ServiceCalls[];
}

export function createCallCount(): CallCount {
  const counts = new Map<string, ServiceCalls>();
  return {
    clear: () => counts.clear(),
    add({ service = null, decision, reason, status, time, upstream_ms: upstreamMs = null }) {
      if (service === null || decision !== 'allow') return;
      const { made, refusedMs } = counts.get(service) ?? { made: 0, refusedMs: null };
      // A code of the gateway's own would be the reason.
      const refused = status === 401 && reason === 'policy-permits' ? Date.parse(time) : null;
      counts.set(service, { service, made: made + (upstreamMs === null ? 0 : 1), refusedMs: refused ?? refusedMs });
    },
    counted: () => [...counts.values()],
  };
}
