// What a batch of access lines says of the calls of services: for whoever keeps their credentials.
import type { RequestRecord } from './access-line.ts';

/** Of one service. */
export interface ServiceCalls {
  readonly service: string;
  /** When the last call began that was allowed, and that the service itself answered with 401. */
  readonly refusedMs: number;
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
    add({ service = null, decision, reason, status, time }) {
      // A code of the gateway's own would be the reason.
      if (service === null || decision !== 'allow' || status !== 401 || reason !== 'policy-permits') return;
      counts.set(service, { service, refusedMs: Date.parse(time) });
    },
    counted: () => [...counts.values()],
  };
}
