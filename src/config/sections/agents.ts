// agents: AI agents with their sponsor, credential, roles, rules for parameters and budgets.
import { z } from 'zod';
import { compileSchemaRule } from '../../contract/json/schema-rule.ts';
import { BUILT_IN_ROLES, NOT_FOR_AGENTS } from '../../contract/roles.ts';
import { type Grant, NOWHERE } from '../../contract/scope.ts';
import type { Agent, AgentCredential } from '../config.ts';
import { isRecord } from '../expand.ts';
import { type Complaint, checkedBy, reporter, withoutDuplicates } from '../schema/issues.ts';
import { count, parseBytes, text } from '../schema/scalars.ts';
import { scopeProblem } from '../scope.ts';
import type { Context } from './context.ts';
import { isForWorkloads, memberComplaint, parseMember } from './members.ts';
import { wireScope } from './roles.ts';

export function agentsSection(known: Pick<Context, 'providers' | 'oauthClients'>) {
  return z
    .array(wireAgent(known))
    .superRefine(...withoutDuplicates('name', (name) => [`${name} is the name of another agent`, 'Give each agent a separate name.'], ['name']))
    .superRefine(...oneAgentEach)
    .transform((wire): readonly Agent[] => wire.map(readAgent))
    .prefault([])
    .describe('AI agents, each with the person who answers for it (docs/how-to/agents.md).');
}

function wireAgent(known: Pick<Context, 'providers' | 'oauthClients'>) {
  return z.strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be small letters, digits, dot, underscore and hyphen, at most 63')
      .describe('Records show agent:NAME.'),
    sponsor: text
      .superRefine(checkedBy((sponsor) => sponsorComplaint(sponsor, known)))
      .describe('The person who answers for the agent: user:NAME@IDP. The agent never has more rights than this person, and ends with this person.'),
    credential: text
      .superRefine(checkedBy((credential) => credentialComplaint(credential, known)))
      .describe(
        'token: the service token with the name of the agent. claim:KEY=VALUE@IDP: a workload. client:ID: an OAuth client that the sponsor logs in with.',
      ),
    roles: z
      .array(
        z.strictObject({
          role: z
            .enum(BUILT_IN_ROLES)
            .refine((role) => !NOT_FOR_AGENTS.includes(role), {
              error: 'is not for agents',
              params: { remedy: 'Take another role: agent reads, runs with parameters, and cancels (docs/reference/roles.md).' },
            })
            .describe('A built-in role, but admin, auditor, worker and run.'),
          scope: wireScope.optional(),
        }),
      )
      .min(1)
      .describe('The roles of the agent. A right counts only if the sponsor has it too.'),
    parameters: z
      .record(text.superRefine(checkedBy(deploymentComplaint)), z.record(z.string(), z.unknown()).superRefine(checkedBy(schemaComplaint)))
      .prefault({})
      .describe('FLOW/NAME of deployments, * at the end stands for anything: the JSON Schema that the parameters of runs must meet.'),
    budgets: wireBudgets.prefault({}),
    taint: z
      .enum(['approve', 'allow', 'deny'])
      .default('approve')
      .describe('What the agent may write in the 60 minutes after it read text of flows: after an approval, everything, or nothing.'),
  });
}

const wireBudgets = z
  .strictObject({
    calls: perMinute(),
    runs: z
      .string()
      .regex(/^[1-9][0-9]{0,5}\/h$/, 'Write runs per hour: 5/h.')
      .optional()
      .describe('Runs that it may start: 5/h.'),
    concurrent_runs: count.optional().describe('How many of its runs may be in progress at once.'),
    descendants: z.int().min(0).max(1_000_000).optional().describe('How many runs may be below one run that it started.'),
    bytes: z
      .string()
      .regex(/^[1-9][0-9]{0,5}(?:kB|MB|GB)\/h$/, 'Write bytes per hour: 50MB/h.')
      .optional()
      .describe('How much it may read: 50MB/h.'),
  })
  .describe('Bounds of the agent. A key that is left out is no bound.');

function perMinute() {
  return z
    .string()
    .regex(/^[1-9][0-9]{0,5}\/min$/, 'Write calls per minute: 100/min.')
    .optional()
    .describe('Requests and tool calls: 100/min.');
}

/** A workload or an OAuth client proves one agent. */
const oneAgentEach = [
  (items: readonly unknown[], issues: z.RefinementCtx): void => {
    const credentials = items.map((item) => (isRecord(item) ? item['credential'] : undefined));
    for (const [index, credential] of credentials.entries()) {
      if (credential === undefined || credential === 'token' || credentials.indexOf(credential) === index) continue;
      reporter(issues)([index, 'credential'], 'is the credential of another agent', 'Give each agent a separate credential.');
    }
  },
  { when: ({ value }: { readonly value: unknown }) => Array.isArray(value) },
] as const;

function sponsorComplaint(sponsor: string, known: Pick<Context, 'providers' | 'oauthClients'>): Complaint | undefined {
  const member = parseMember(sponsor);
  if (member?.kind !== 'user') return { message: `${sponsor} is no person`, remedy: 'Write user:NAME@IDP.' };
  const complaint = memberComplaint(sponsor, known);
  if (complaint !== undefined) return complaint;
  const provider = known.providers?.find(({ id }) => id === member.idp);
  if (provider === undefined || !isForWorkloads(provider)) return undefined;
  return { message: `${sponsor} is a workload: ${provider.id} is of type ${provider.type}`, remedy: 'Name a person who logs in: user:NAME@IDP.' };
}

function credentialComplaint(credential: string, known: Pick<Context, 'providers' | 'oauthClients'>): Complaint | undefined {
  const remedy = 'Write token, claim:KEY=VALUE@IDP with a provider of workloads, or client:ID with the https URL or the id of an OAuth client.';
  if (credential === 'token') return undefined;
  if (credential.startsWith('client:')) return clientComplaint(credential.slice('client:'.length), known);
  const member = parseMember(credential);
  if (member?.kind !== 'claim') return { message: `${credential} is no credential of an agent`, remedy };
  const complaint = memberComplaint(credential, known);
  if (complaint !== undefined) return complaint;
  const provider = known.providers?.find(({ id }) => id === member.idp);
  if (provider === undefined || isForWorkloads(provider)) return undefined;
  return { message: `${credential} is a person: people log in at ${provider.id}`, remedy };
}

/** The URL of a Client ID Metadata Document, or the id of a configured client. */
function clientComplaint(id: string, { oauthClients }: Pick<Context, 'oauthClients'>): Complaint | undefined {
  if (!/^[a-z]+:/i.test(id)) {
    if (oauthClients?.includes(id) !== false) return undefined;
    return {
      message: `client:${id} is no client of oauth_clients`,
      remedy: 'Add it to oauth_clients, or write client: and the https URL of its metadata document.',
    };
  }
  const url = URL.parse(id);
  if (url?.protocol === 'https:' && url.href === id && url.username === '' && url.password === '' && url.hash === '') return undefined;
  return { message: `client:${id} names no client`, remedy: 'Write the https URL of its metadata document exactly, without user, password or #.' };
}

function deploymentComplaint(deployments: string): Complaint | undefined {
  return scopeProblem({ ...NOWHERE, deployments: [deployments] });
}

function schemaComplaint(schema: Readonly<Record<string, unknown>>): Complaint | undefined {
  const compiled = compileSchemaRule(schema);
  return compiled.ok ? undefined : { message: `is no JSON Schema: ${compiled.problem}`, remedy: 'Correct it: JSON Schema 2020-12, without unknown keywords.' };
}

function readAgent({ budgets, parameters, roles, ...wire }: z.output<ReturnType<typeof wireAgent>>): Agent {
  return {
    name: wire.name,
    sponsor: readSponsor(wire.sponsor),
    credential: readCredential(wire.credential),
    grants: roles.map(({ role, scope = null }): Grant => ({ role, scope })),
    parameters: Object.entries(parameters).map(([deployments, schema]) => ({ deployments, schema })),
    budgets: {
      callsPerMinute: leadingNumber(budgets.calls),
      runsPerHour: leadingNumber(budgets.runs),
      concurrentRuns: budgets.concurrent_runs ?? null,
      descendants: budgets.descendants ?? null,
      bytesPerHour: budgets.bytes === undefined ? null : parseBytes(budgets.bytes),
    },
    taint: wire.taint,
  };
}

function readSponsor(sponsor: string): Agent['sponsor'] {
  const at = sponsor.lastIndexOf('@');
  return { name: sponsor.slice('user:'.length, at), idp: sponsor.slice(at + 1) };
}

function readCredential(credential: string): AgentCredential {
  if (credential.startsWith('client:')) return { kind: 'client', id: credential.slice('client:'.length) };
  const { claim, idp = '' } = parseMember(credential) ?? {};
  return claim === undefined ? { kind: 'token' } : { kind: 'claim', key: claim.path, pattern: claim.pattern, idp };
}

function leadingNumber(rate: string | undefined): number | null {
  return rate === undefined ? null : Number.parseInt(rate, 10);
}
