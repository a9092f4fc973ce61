// approvals: which requests wait until a person approves them.
import { z } from 'zod';
import { agentId } from '../../contract/principal.ts';
import type { ApprovalRule } from '../config.ts';
import { type Complaint, checkedBy, says, withoutDuplicates } from '../schema/issues.ts';
import { httpUrl, seconds, slug, text } from '../schema/scalars.ts';
import { nearestName } from '../suggest.ts';
import type { Context, Files } from './context.ts';
import { signingSecret } from './exports.ts';
import { isForWorkloads, memberComplaint } from './members.ts';
import { isLoopback } from './public-url.ts';

type Known = Pick<Context, 'providers' | 'agents' | keyof Files>;

const LONGEST_SECONDS = 24 * 3600;

/** Not checked: the names of the actions, which are in the catalogue (src/authorization/approvals/rule-problems.ts). */
export function approvalsSection(known: Known) {
  return z
    .array(rule(known))
    .superRefine(...withoutDuplicates('name', () => ['has the name of another rule', 'Give each rule a name of its own: name: deletes-2']))
    .prefault([])
    .describe('Requests that wait until a person approves them (docs/how-to/approvals.md).');
}

function rule(known: Known) {
  return z
    .strictObject({
      name: slug.describe('Name of the rule on pages and in the list of approvals.'),
      principals: z
        .array(text.superRefine(checkedBy((member) => requesterComplaint(member, known))))
        .min(1)
        .describe('Whose requests wait: "agent:*", agent:NAME, or a member as in roles.'),
      actions: z.array(text).min(1).describe('Actions that wait (docs/reference/rights.md): [deployments.delete].'),
      approvers: z
        .literal('sponsor')
        .or(z.array(text.superRefine(checkedBy((member) => approverComplaint(member, known)))).min(1))
        .describe('Who approves: sponsor is the person who answers for the agent. Else a list of people and groups, as in roles.'),
      expires: seconds
        .refine((value) => value > 0 && value <= LONGEST_SECONDS, says('is not between 1s and 24h', 'Write at most 24h.'))
        .prefault('15m')
        .describe('How long an approval may be given and used, at most 24h.'),
      notify: notify(known).optional(),
    })
    .refine(({ approvers, principals }) => approvers !== 'sponsor' || principals.every((member) => member.startsWith(AGENT)), {
      ...says(
        'is sponsor, and principals names others than agents, which have none',
        'Name agents alone, or write the approvers as a list of people and groups.',
      ),
      path: ['approvers'],
    })
    .transform(({ expires, notify: announced, ...wire }): ApprovalRule => ({ ...wire, expiresMs: expires * 1000, notify: announced ?? null }));
}

function notify(known: Known) {
  return z
    .strictObject({
      webhook: httpUrl
        .refine(isSafe, says('is http, and the announcement would cross the network in the clear', 'Write https://. Only loopback may be http.'))
        .describe('Address that gets each new request: https://hooks.example.com/lictor'),
      secret_file: signingSecret(known).optional().describe('File with the secret that announcements are signed with. Default: they are not signed.'),
    })
    .transform(({ webhook, secret_file: secret }) => ({ webhook, secret: secret ?? null }))
    .describe('Where each new request is announced, with a link and without its arguments.');
}

function isSafe(address: string): boolean {
  const url = URL.parse(address);
  return url?.protocol === 'https:' || (url !== null && isLoopback(url.hostname));
}

const AGENT = agentId('');

function requesterComplaint(member: string, known: Known): Complaint | undefined {
  if (!member.startsWith(AGENT)) return memberComplaint(member, known);
  const agents = known.agents?.map(({ name }) => name);
  const name = member.slice(AGENT.length);
  if (name === '*' || agents === undefined || agents.includes(name)) return undefined;
  const nearest = nearestName(name, agents);
  return {
    message: `${name} is not an agent of this file`,
    remedy: nearest === undefined ? 'Add it to agents, or correct the name.' : `Did you mean ${nearest}?`,
  };
}

/** Only a person approves. */
function approverComplaint(member: string, known: Known): Complaint | undefined {
  const provider = known.providers?.find(({ id }) => member.endsWith(`@${id}`));
  const isMachine = member.startsWith('token:') || member.startsWith(AGENT) || (provider !== undefined && isForWorkloads(provider));
  if (!isMachine) return memberComplaint(member, known);
  return { message: `${member} is no person, and only people approve`, remedy: 'Name people or groups of a provider that people log in at.' };
}
