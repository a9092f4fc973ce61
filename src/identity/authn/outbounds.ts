// One way out to identity providers for each set of authorities.
import { createOutbound, type Outbound } from './outbound.ts';

export interface Outbounds {
  /** The same one for the same file. Null: the system's authorities. Throws if the file cannot be read. */
  to(caFile: string | null): Outbound;
  close(): Promise<void>;
}

/** Fetching a provider's keys takes two requests, within the five seconds that nginx waits for a decision. */
const TIMEOUT_MS = 2000;

/** `timeoutMs` left out: the time for requests that a decision waits for. */
export function createOutbounds(timeoutMs = TIMEOUT_MS): Outbounds {
  const open = new Map<string | null, Outbound>();
  return {
    to(caFile) {
      const known = open.get(caFile) ?? createOutbound({ caFile, timeoutMs });
      open.set(caFile, known);
      return known;
    },
    async close() {
      await Promise.all([...open.values()].map((outbound) => outbound.close()));
    },
  };
}
