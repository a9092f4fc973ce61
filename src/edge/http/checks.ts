// The checks of readiness, and what they say together.
import { setTimeout as pause } from 'node:timers/promises';
import type { OwnAppParts } from './parts.ts';

const CHECK_TIMEOUT_MS = 3000;
/** Without the ledger, Lictor denies changes and still allows reads. So a load balancer may still send requests here. */
const READS_GO_ON = 'ledger';

export type Checked = readonly (readonly [name: string, ok: boolean])[];

export function statusOf(checked: Checked): 'ready' | 'degraded' | 'not-ready' {
  const failed = checked.flatMap(([name, ok]) => (ok ? [] : [name]));
  if (failed.length === 0) return 'ready';
  return failed.every((name) => name === READS_GO_ON) ? 'degraded' : 'not-ready';
}

/** Runs all checks at the same time. A slow or failed check is not ready. The answer has only names: control.log has the cause. */
export async function runChecks({ checks, log }: Pick<OwnAppParts, 'checks' | 'log'>): Promise<Checked> {
  return await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const given = new AbortController();
      try {
        const late = pause(CHECK_TIMEOUT_MS, false, { signal: given.signal, ref: false }).catch(() => false);
        return [name, await Promise.race([check(), late])] as const;
      } catch (error) {
        log.error({ err: error, check: name }, 'not ready');
        return [name, false] as const;
      } finally {
        given.abort();
      }
    }),
  );
}
