// roles: who has which role, and on what. Every binding must name a principal that can exist.
import { z } from 'zod';
import { ACTION_GROUPS } from '../../contract/operation.ts';
import { BUILT_IN_ROLES } from '../../contract/roles.ts';
import type { RoleBinding } from '../config.ts';
import { type Complaint, checkedBy, reject } from '../schema/issues.ts';
import { strings, text } from '../schema/scalars.ts';
import { readScope, scopeProblem } from '../scope.ts';
import type { Context } from './context.ts';
import { memberComplaint } from './members.ts';

export function rolesSection(known: Pick<Context, 'providers' | 'agents'>) {
  const member = text.superRefine(checkedBy((written) => memberComplaint(written, known) ?? agentComplaint(written, known)));
  return z
    .array(
      z
        .strictObject({
          role: z.enum(BUILT_IN_ROLES).describe('One of the built-in roles (docs/reference/roles.md).'),
          members: z.array(member).min(1).describe('Who has it: user:NAME@IDP, token:NAME, "*@IDP", group:NAME@IDP, claim:KEY=VALUE@IDP or an ARN@IDP.'),
          scope: wireScope.optional(),
          mode: modeKey.optional().describe('For these members, instead of the mode of the file.'),
        })
        .transform(({ mode, ...wire }): RoleBinding => ({ ...wire, scope: wire.scope ?? null, ...(mode !== undefined && { mode }) })),
    )
    .prefault([])
    .describe('Roles beside those that accounts and tokens were created with.');
}

export const modeKey = z.enum(['enforce', 'observe']);

/** Services are always enforced. */
export const observeKey = z
  .array(z.enum(ACTION_GROUPS.filter((group) => group !== 'services')))
  .min(1)
  .optional()
  .describe('The groups of actions that mode: observe concerns (docs/reference/roles.md); all others are enforced. Default: every group.');

/** The token of an agent has the roles of the agent alone. */
function agentComplaint(member: string, { agents = [] }: Pick<Context, 'agents'>): Complaint | undefined {
  const agent = agents.find(({ name, credential }) => credential === 'token' && member === `token:${name}`);
  return agent && { message: `${member} is the agent ${agent.name}: this role would not count`, remedy: 'Give the role to the agent: agents, roles.' };
}

/** `scope` of a role. */
export const wireScope = z
  .strictObject({
    tags: strings.optional().describe('Deployments and runs with one of these tags, and their flows; variables too, unless variables is given.'),
    work_pools: strings.optional().describe('These work pools, the deployments that use them, and what runs in them.'),
    deployments: strings.optional().describe('These deployments, as FLOW/NAME, with their runs; * at the end stands for anything: [etl/*].'),
    flows: strings.optional().describe('These flows, by name, with their deployments and runs; * at the end stands for anything.'),
    variables: strings.optional().describe('These variables, by name; * at the end stands for anything: [team_a_*].'),
    blocks: strings.optional().describe('These blocks, by name; * at the end stands for anything.'),
    automations: strings.optional().describe('These automations, by name; * at the end stands for anything.'),
    concurrency_limits: strings.optional().describe('These concurrency limits, by name or tag; * at the end stands for anything.'),
    own: z.boolean().optional().describe('true: only what the principal itself has made.'),
  })
  .transform((wire, issues) => {
    const read = readScope(wire);
    const complaint = scopeProblem(read);
    return complaint === undefined ? read : reject(issues, complaint);
  })
  .describe('On what alone the role holds: every key that is given must match, and what no given key is about is outside (docs/reference/scopes.md).');
