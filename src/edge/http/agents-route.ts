// GET /.lictor/api/v1/agents: the agents with their budgets, for principals with `ledger.read` on everything.
import type { FastifyInstance } from 'fastify';
import { agentOverviews, overviewJson } from '../../authorization/agents/overview.ts';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import { REASONS } from '../../contract/reasons.ts';
import { sendRefusalOrPage } from './answers.ts';
import type { RouteParts } from './parts.ts';
import { recordRead } from './read-records.ts';

export function registerAgents(app: FastifyInstance, parts: RouteParts): void {
  app.get(`${parts.prefix}/api/v1/agents`, async (request, reply) => {
    const authorization = await parts.decider.authorizeOwn(parseEdgeInputs(request.headers), 'ledger.read');
    await recordRead(request, { authorization, status: authorization.ok ? 200 : REASONS[authorization.reason].status }, parts);
    if (authorization.ok) return reply.send({ agents: (await agentOverviews(parts.config.agents, parts.store)).map(overviewJson) });
    const { reason: code, detail } = authorization;
    return sendRefusalOrPage(request, reply, { pages: parts.pages, code, detail });
  });
}
