// Members of roles: `user:NAME@IDP` and the other forms. A member must be a principal that can exist.
import type { Complaint } from '../schema/issues.ts';
import type { Context, ProviderOutline } from './context.ts';
import { mayBeAnybody } from './open-issuers.ts';
import { type MemberKind, PROVIDER_KINDS } from './provider-kinds.ts';

const FORMS =
  'Write user:NAME@IDP, group:NAME@IDP, claim:KEY=VALUE@IDP, arn:...@IDP (a role without its path, which AWS does not report), token:NAME or "*@IDP".';

/** `providers` undefined: they are broken, so members are not compared with them. */
export function memberComplaint(member: string, { providers }: Pick<Context, 'providers'>): Complaint | undefined {
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

/** Its principals are machines, and no people. */
export function isForWorkloads({ type }: ProviderOutline): boolean {
  return Object.entries(PROVIDER_KINDS).some(([name, kind]) => name === type && kind.isForWorkloads);
}

export interface Member {
  readonly kind: MemberKind;
  readonly idp: string;
  readonly claim?: { readonly path: string; readonly pattern: string };
}

/** The id of the provider follows the last `@`. */
export function parseMember(member: string): Member | undefined {
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
