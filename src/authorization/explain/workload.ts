// `repo:acme/etl:ref:refs/heads/main@ci`, `arn:aws:iam::123456789012:role/etl@aws`, `spiffe://acme/worker@pki` -> the workload with that name, by
// its presently known claims.

import type { Config } from '../../config/config.ts';
import { PROVIDER_KINDS } from '../../config/sections/provider-kinds.ts';
import type { Identity } from '../../contract/identity.ts';
import { identityPrincipal } from '../../identity/authn/identity/principal.ts';
import { identityHolder, roleOrigins } from '../../identity/authn/role-origins.ts';
import { createRoleBook } from '../../identity/authn/roles.ts';
import type { AccessTokens } from '../../store/access-tokens.ts';
import type { ResolvedPrincipal } from './principal.ts';

/** Lictor does not store workloads, so there is no list of them. */
export function isWorkloadProvider(id: string, { identityProviders }: Pick<Config, 'identityProviders'>): boolean {
  return identityProviders.some((provider) => provider.id === id && PROVIDER_KINDS[provider.type].isForWorkloads);
}

/** With the claims of its newest live token. Without a token, with the claims in the name itself. */
export async function workloadPrincipal(
  { name, idp }: Pick<Identity, 'name' | 'idp'>,
  accessTokens: Pick<AccessTokens, 'live'>,
  { roles, identityProviders }: Pick<Config, 'roles' | 'identityProviders'>,
): Promise<ResolvedPrincipal> {
  const isCertificate = identityProviders.some((provider) => provider.id === idp && provider.type === 'mtls');
  const plain = (await accessTokens.live()).filter((live) => live.chain === null);
  const token = plain.findLast(({ identity }) => identity.idp === idp && identity.name === name);
  const account = /^arn:aws[a-z-]*:iam::([0-9]{12}):/.exec(name)?.[1];
  const identity: Identity = token?.identity ?? { idp, subject: name, name, kind: 'service', groups: [], claims: account === undefined ? {} : { account } };
  const known = isCertificate
    ? 'Whoever shows a certificate with exactly this name, which has not expired or been revoked. It says nothing but the name.'
    : token === undefined
      ? 'Only its name is known, since no exchanged token of it is live: roles by claim or group are not counted.'
      : `Claims and groups are those of its token ${token.id}, which ends at ${new Date(token.expiresMs).toISOString()}.`;
  return {
    principal: identityPrincipal(identity, createRoleBook(roles)),
    hypothetical: false,
    roles: roleOrigins(identityHolder(identity, roles), roles),
    refusedAs: null,
    notes: [known],
  };
}
