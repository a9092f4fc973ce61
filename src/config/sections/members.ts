// roles: every binding must name somebody who can exist.
import type { Config } from '../config.ts';
import type { Keys, Report } from '../report.ts';
import type { WireConfig } from '../schema/index.ts';
import { readScope, scopeProblem } from '../scope.ts';
import { mayBeAnybody } from './open-issuers.ts';

type ProviderType = WireConfig['identity_providers'][number]['type'];
type MemberKind = 'user' | 'group' | 'claim' | 'arn' | '*';

/** Which forms of members a provider can ever prove. */
const KINDS: Readonly<Record<ProviderType, readonly MemberKind[]>> = {
  accounts: ['user', '*'],
  oidc: ['user', 'group', 'claim', '*'],
  saml: ['user', 'group', 'claim', '*'],
  jwt: ['user', 'group', 'claim', '*'],
  'aws-iam': ['arn', 'claim', '*'],
  mtls: ['user', '*'],
};

const FORMS =
  'Write user:NAME@IDP, group:NAME@IDP, claim:KEY=VALUE@IDP, arn:...@IDP (a role without its path, which AWS does not tell), token:NAME or "*@IDP".';

interface Provider {
  readonly id: string;
  readonly type: ProviderType;
  readonly issuer?: string;
}

/** `providers` undefined: they are broken themselves, so members are not held against them. */
export function readRoles(roles: WireConfig['roles'], providers: readonly Provider[] | undefined, report: Report): Config['roles'] {
  for (const [index, { members }] of roles.entries()) {
    for (const [at, member] of members.entries()) checkMember(member, ['roles', index, 'members', at], providers, report);
  }
  for (const [index, { scope }] of roles.entries()) {
    const problem = scope === undefined ? undefined : scopeProblem(readScope(scope));
    if (problem !== undefined) report(['roles', index, 'scope'], problem.message, problem.remedy);
  }
  return roles.map(({ role, members, scope }) => ({ role, members, scope: scope === undefined ? null : readScope(scope) }));
}

function checkMember(member: string, keys: Keys, providers: readonly Provider[] | undefined, report: Report): void {
  if (/^token:[a-z0-9](?:[a-z0-9._-]{0,62})$/.test(member)) return;
  const parsed = parseMember(member);
  if (parsed === undefined) {
    report(keys, `${member} names nobody`, FORMS);
    return;
  }
  // A pattern is taken in the values of claims alone: anywhere else it would be the person or group that is called so.
  if (['user', 'group', 'arn'].includes(parsed.kind) && member.includes('*')) {
    report(keys, `${member} names nobody: names are compared as they are written`, `Everybody of it is "*@${parsed.idp}". ${FORMS}`);
    return;
  }
  if (providers === undefined) return;
  const provider = providers.find(({ id }) => id === parsed.idp);
  if (provider === undefined) {
    const known = providers.length === 0 ? 'there are none' : providers.map(({ id }) => id).join(', ');
    report(keys, `${parsed.idp} is no identity provider of this file`, `Known: ${known}. Add it to identity_providers, or correct the name.`);
  } else if (!KINDS[provider.type].includes(parsed.kind)) {
    report(keys, `${member} can never be: ${parsed.idp} is of type ${provider.type}`, `Its members are written ${KINDS[provider.type].join(', ')}.`);
  } else if (['*', 'claim'].includes(parsed.kind) && provider.type === 'oidc' && mayBeAnybody(provider.issuer ?? '', parsed.claim)) {
    report(
      keys,
      `${member} may be anybody in the world, who may have an account at ${provider.issuer ?? ''}`,
      `Name people or a group, or a claim that says whose they are: claim:hd=acme.example@${provider.id}.`,
    );
  }
}

interface Member {
  readonly kind: MemberKind;
  readonly idp: string;
  readonly claim?: { readonly path: string; readonly pattern: string };
}

/** The id of the provider stands behind the last `@`. */
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
