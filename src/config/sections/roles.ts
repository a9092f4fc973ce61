// roles: who has which role, and on what. Every binding must name a principal that can exist.
import { z } from 'zod';
import { BUILT_IN_ROLES } from '../../contract/roles.ts';
import type { RoleBinding } from '../config.ts';
import { type Complaint, checkedBy, reject } from '../schema/issues.ts';
import { strings, text } from '../schema/scalars.ts';
import { readScope, scopeProblem } from '../scope.ts';
import type { Context, ProviderOutline } from './context.ts';
import { mayBeAnybody } from './open-issuers.ts';
import { type MemberKind, PROVIDER_KINDS } from './provider-kinds.ts';

export function rolesSection({ providers }: Pick<Context, 'providers'>) {
  const member = text.superRefine(checkedBy((written) => memberComplaint(written, providers)));
  return z
    .array(
      z
        .strictObject({
          role: z.enum(BUILT_IN_ROLES).describe('One of the built-in roles (docs/reference/roles.md).'),
          members: z.array(member).min(1).describe('Who has it: user:NAME@IDP, token:NAME, "*@IDP", group:NAME@IDP, claim:KEY=VALUE@IDP or an ARN@IDP.'),
          scope: scope.optional(),
        })
        .transform((wire): RoleBinding => ({ ...wire, scope: wire.scope ?? null })),
    )
    .prefault([])
    .describe('Roles beside those that accounts and tokens were created with.');
}

const scope = z
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

const FORMS =
  'Write user:NAME@IDP, group:NAME@IDP, claim:KEY=VALUE@IDP, arn:...@IDP (a role without its path, which AWS does not report), token:NAME or "*@IDP".';

/** `providers` undefined: they are broken, so members are not compared with them. */
function memberComplaint(member: string, providers: readonly ProviderOutline[] | undefined): Complaint | undefined {
  if (/^token:[a-z0-9](?:[a-z0-9._-]{0,62})$/.test(member)) return undefined;
  const parsed = parseMember(member);
  if (parsed === undefined) return { message: `${member} names nobody`, remedy: FORMS };
  // A pattern is accepted in the values of claims alone: anywhere else it would be the person or group with that very name.
  if (['user', 'group', 'arn'].includes(parsed.kind) && member.includes('*'))
    return { message: `${member} names nobody: names are compared as they are written`, remedy: `Everybody of it is "*@${parsed.idp}". ${FORMS}` };
  if (providers === undefined) return undefined;
  const provider = providers.find(({ id }) => id === parsed.idp);
  if (provider !== undefined) return impossible(member, parsed, provider);
  const known = providers.length === 0 ? 'there are none' : providers.map(({ id }) => id).join(', ');
  return {
    message: `${parsed.idp} is no identity provider of this file`,
    remedy: `Known: ${known}. Add it to identity_providers, or correct the name.`,
  };
}

/** A problem if the provider can never prove the member, or proves it for any account in the world. */
function impossible(member: string, { kind, claim }: Member, { id, type, issuer = '' }: ProviderOutline): Complaint | undefined {
  const members = Object.entries(PROVIDER_KINDS).find(([name]) => name === type)?.[1].members;
  if (members?.includes(kind) === false)
    return { message: `${member} can never be: ${id} is of type ${type}`, remedy: `Its members are written ${members.join(', ')}.` };
  if (!['*', 'claim'].includes(kind) || type !== 'oidc' || !mayBeAnybody(issuer, claim)) return undefined;
  return {
    message: `${member} may be anybody in the world, who may have an account at ${issuer}`,
    remedy: `Name people or a group, or a claim that says whose they are: claim:hd=acme.example@${id}.`,
  };
}

interface Member {
  readonly kind: MemberKind;
  readonly idp: string;
  readonly claim?: { readonly path: string; readonly pattern: string };
}

/** The id of the provider follows the last `@`. */
function parseMember(member: string): Member | undefined {
  const at = member.lastIndexOf('@');
  const idp = member.slice(at + 1);
  const who = member.slice(0, at);
  if (at < 1 || idp === '') return undefined;
  if (who === '*') return { kind: '*', idp };
  if (/^user:\S+$/u.test(who)) return { kind: 'user', idp };
  if (/^group:.+$/u.test(who)) return { kind: 'group', idp };
  const [claim, path = '', pattern = ''] = /^claim:([^=\s]+)=(.+)$/u.exec(who) ?? [];
  if (claim !== undefined) return { kind: 'claim', idp, claim: { path, pattern } };
  if (/^arn:aws[a-z-]*:iam::[0-9]{12}:(?:role\/[^\s/]+|user\/\S+)$/.test(who)) return { kind: 'arn', idp };
  return undefined;
}
