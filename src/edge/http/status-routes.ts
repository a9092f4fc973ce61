// Health and readiness.
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { OwnAppParts, RouteParts } from './parts.ts';

const CHECK_TIMEOUT_MS = 3000;
/** Without the ledger, Lictor denies changes and still allows reads. So a load balancer may still send requests here. */
const READS_GO_ON = 'ledger';

export function registerStatus(app: FastifyInstance, parts: RouteParts): void {
  app.get(`${parts.prefix}/health`, async () => ({ status: 'ok' }));
  app.get(`${parts.prefix}/ready`, async (_request, reply) => {
    const results = await runChecks(parts);
    const failed = results.flatMap(([name, ok]) => (ok ? [] : [name]));
    const ready = failed.every((name) => name === READS_GO_ON);
    if (!ready) reply.code(503).header('retry-after', '1');
    return { status: statusOf(ready, failed), checks: Object.fromEntries(results.map(([name, ok]) => [name, ok ? 'ok' : 'failed'])) };
  });
}

function statusOf(ready: boolean, failed: readonly string[]): string {
  if (!ready) return 'not-ready';
  return failed.length === 0 ? 'ready' : 'degraded';
}

/** Runs all checks at the same time. A slow or failed check is not ready. The answer has only names: control.log has the cause. */
async function runChecks({ checks, log }: Pick<OwnAppParts, 'checks' | 'log'>): Promise<readonly (readonly [string, boolean])[]> {
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
