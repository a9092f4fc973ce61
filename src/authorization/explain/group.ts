// `group:NAME@PROVIDER` -> a principal of the provider with exactly this group: it shows what lictor.yaml gives before the first login.
import type { Config, IdentityProvider } from '../../config/config.ts';
import { PROVIDER_KINDS } from '../../config/sections/provider-kinds.ts';
import { meantWords } from '../../config/suggest.ts';
import { LictorError } from '../../contract/error.ts';
import type { Identity } from '../../contract/identity.ts';
import { identityPrincipal } from '../../identity/authn/identity/principal.ts';
import { identityHolder, roleOrigins } from '../../identity/authn/role-origins.ts';
import { createRoleBook } from '../../identity/authn/roles.ts';
import type { ResolvedPrincipal } from './principal.ts';

const FORM = /^group:(?<group>.+)@(?<idp>[^@]+)$/;

export function isGroup(text: string): boolean {
  return FORM.test(text);
}

/** Locks are not checked here. Throws LictorError `principal-unknown` for a provider that is not configured, or proves no groups. */
export function groupPrincipal(text: string, { identityProviders, roles }: Pick<Config, 'identityProviders' | 'roles'>): ResolvedPrincipal {
  const { group = '', idp = '' } = FORM.exec(text)?.groups ?? {};
  const { isForWorkloads } = kindOf(idp, identityProviders);
  const identity: Identity = { idp, subject: '', name: `group:${group}`, kind: isForWorkloads ? 'service' : 'user', groups: [group], claims: {} };
  const members = roles.flatMap((binding) => binding.members);
  return {
    principal: identityPrincipal(identity, createRoleBook(roles)),
    hypothetical: true,
    roles: roleOrigins(identityHolder(identity, roles), roles),
    refusedAs: null,
    notes: [ONLY_GROUP, ...(members.includes(text) ? [] : [`lictor.yaml gives ${text} no role.${meantWords(text, members)}`])],
  };
}

const ONLY_GROUP = 'Only the group is known: roles that lictor.yaml gives by name, by claim or by another group are not counted.';

function kindOf(idp: string, providers: readonly IdentityProvider[]) {
  const withGroups = providers.filter(({ type }) => PROVIDER_KINDS[type].members.includes('group'));
  const provider = withGroups.find(({ id }) => id === idp);
  if (provider !== undefined) return PROVIDER_KINDS[provider.type];
  const ids = withGroups.map(({ id }) => id);
  const known = ids.length === 0 ? 'lictor.yaml has no such provider.' : `Providers with groups: ${ids.join(', ')}.`;
  throw new LictorError('principal-unknown', `There is no identity provider ${JSON.stringify(idp)} with groups.${meantWords(idp, ids)} ${known}`);
}
