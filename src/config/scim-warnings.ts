// Warnings of `check` about groups that SCIM replaces. Lictor rejects nothing for them.
import type { Config } from './config.ts';
import type { Problem } from './problem.ts';

/** `groups_claim: roles` has application roles of Entra ID. The groups of SCIM replace them, so a binding to such a role has no effect. */
export function scimWarnings({ identityProviders, scim }: Pick<Config, 'identityProviders' | 'scim'>): readonly Problem[] {
  return identityProviders.flatMap((provider, place) => {
    if (provider.type !== 'oidc' || provider.groupsClaim !== 'roles' || !scim.some(({ idp }) => idp === provider.id)) return [];
    return [
      {
        path: `identity_providers[${place}].groups_claim`,
        message: 'roles has application roles, and the groups of SCIM replace them for every person whom SCIM knows',
        remedy: `Bind roles to the names of groups, group:NAME@${provider.id}, and remove groups_claim (docs/how-to/scim.md).`,
      },
    ];
  });
}
