// Calls in a batch of access lines that a service rejected: its credential may be outdated.
import type { RequestRecord } from './access-line.ts';

export interface ServiceCalls {
  readonly service: string;
  /** The start of the last allowed call that the service itself answered with 401. */
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
      // A denial by the gateway has another reason.
      if (service === null || decision !== 'allow' || status !== 401 || reason !== 'policy-permits') return;
      counts.set(service, { service, refusedMs: Date.parse(time) });
    },
    counted: () => [...counts.values()],
  };
}
