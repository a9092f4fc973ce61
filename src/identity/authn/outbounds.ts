// The ways out to identity providers, one for each set of authorities.
import { createOutbound, type Outbound } from './outbound.ts';

export interface Outbounds {
  /** The same one for the same file; null: the system's authorities. Throws when the file cannot be read. */
  to(caFile: string | null): Outbound;
  close(): Promise<void>;
}

/** Looking up a provider's keys takes two requests, inside the five seconds that nginx waits for a decision. */
const TIMEOUT_MS = 2000;

/** `timeoutMs` left out: for what a decision waits for. */
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
