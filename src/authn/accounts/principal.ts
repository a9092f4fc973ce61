// A built-in account as a principal.
import type { Config } from '../../config/config.ts';
import type { Principal } from '../../contract/principal.ts';
import type { RoleBook } from '../roles.ts';

/** Id of the identity provider that the built-in accounts are; null: the configuration has none, nobody logs in. */
export function accountsProvider(config: Pick<Config, 'identityProviders'>): string | null {
  return config.identityProviders.find((provider) => provider.type === 'accounts')?.id ?? null;
}

export function userPrincipal(account: { readonly name: string; readonly roles: readonly string[] }, idp: string, roleBook: RoleBook): Principal {
  return {
    id: `${account.name}@${idp}`,
    kind: 'user',
    idp,
    roles: roleBook.ofAccount(account, idp),
    groups: [],
    attributes: {},
    onBehalfOf: [],
  };
}
