// roles: who has which role, and on what.
import { z } from 'zod';
import { BUILT_IN_ROLES } from '../../contract/roles.ts';
import { strings, text } from './scalars.ts';

export const roleBinding = z.strictObject({
  role: z.enum(BUILT_IN_ROLES),
  members: z.array(text.describe('user:NAME@IDP, token:NAME, *@IDP, group:NAME@IDP, claim:KEY=VALUE@IDP or an ARN@IDP.')).min(1),
  scope: z
    .strictObject({
      tags: strings.optional(),
      work_pools: strings.optional(),
      deployments: strings.optional(),
      flows: strings.optional(),
      variables: strings.optional(),
      blocks: strings.optional(),
      automations: strings.optional(),
      concurrency_limits: strings.optional(),
      own: z.boolean().optional(),
    })
    .optional(),
});
