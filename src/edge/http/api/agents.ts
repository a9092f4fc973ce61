// GET agents: the agents with their budgets, for principals with `ledger.read` on everything.
import { z } from 'zod';
import { agentOverviews, overviewJson } from '../../../authorization/agents/overview.ts';
import { apiRoute } from './api-route.ts';

const budget = z.strictObject({ most: z.number(), used: z.number().nullable(), left: z.number().nullable() });

const agent = z.strictObject({
  name: z.string(),
  principal: z.string(),
  sponsor: z.string(),
  credential: z.string(),
  budgets: z.record(z.string(), budget),
  last_call_at: z.string().nullable(),
  runs_in_progress: z.number(),
  pending_approvals: z.number(),
  tainted_until: z.string().nullable(),
  stopped: z.strictObject({ by: z.string(), why: z.string().nullable(), at: z.string() }).nullable(),
});

export const agents = apiRoute({
  method: 'GET',
  path: '/agents',
  summary: 'List the agents with their budgets',
  needs: { action: 'ledger.read' },
  answer: z.strictObject({ agents: z.array(agent) }),
  async handle({ parts }) {
    return { ok: true, body: { agents: (await agentOverviews(parts.config.agents, parts.store)).map(overviewJson) } };
  },
});
