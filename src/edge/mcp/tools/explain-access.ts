// Why the agent may do something, or not.
import { z } from 'zod';
import { defineTool } from '../tool.ts';

export const explainAccess = defineTool({
  name: 'explain_access',
  title: 'Explain access',
  description: 'Says whether your own roles permit an action on an object, and why. Budgets, rules for parameters and approvals come on top.',
  kind: 'read',
  needs: null,
  input: z.object({
    action: z.string().min(1).max(100).describe('For example deployments.run or flow_runs.cancel.'),
    id: z.string().min(1).max(1_000).nullish().describe('The id of the object. Left out: all objects of the kind.'),
  }),
  output: z.object({ allowed: z.boolean(), reason: z.string(), detail: z.string(), hint: z.string(), policies: z.array(z.string()) }),
  async run({ action, id }, call) {
    const explained = await call.explain(action, id ?? null);
    return { ...explained, policies: [...explained.policies] };
  },
});
