// Health and readiness.
import type { FastifyInstance } from 'fastify';
import { runChecks, statusOf } from './checks.ts';
import type { RouteParts } from './parts.ts';

export function registerStatus(app: FastifyInstance, parts: RouteParts): void {
  app.get(`${parts.prefix}/health`, async () => ({ status: 'ok' }));
  app.get(`${parts.prefix}/ready`, async (_request, reply) => {
    const checked = await runChecks(parts);
    const status = statusOf(checked);
    if (status === 'not-ready') reply.code(503).header('retry-after', '1');
    return { status, checks: Object.fromEntries(checked.map(([name, ok]) => [name, ok ? 'ok' : 'failed'])) };
  });
}
