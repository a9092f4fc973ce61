// A built-in account as a principal.
import type { Config } from '../../../config/config.ts';
import { BREAK_GLASS } from '../../../contract/names.ts';
import type { Principal } from '../../../contract/principal.ts';
import { roleNames } from '../../../contract/scope.ts';
import type { StoredAccount } from '../../../store/accounts.ts';
import type { Holder, RoleBook } from '../roles.ts';

/** Id of the identity provider of the built-in accounts. Null: the configuration has none, and only break-glass accounts can log in. */
export function accountsProvider(config: Pick<Config, 'identityProviders'>): string | null {
  return config.identityProviders.find((provider) => provider.type === 'accounts')?.id ?? null;
}

/**
 * Whether NAME@IDP may be an account: no other provider has this id. An old name, from before the accounts
 * got another id in lictor.yaml, does not mean another principal either.
 */
export function mayBeAccounts(idp: string, config: Pick<Config, 'identityProviders'>): boolean {
  return !config.identityProviders.some(({ id, type }) => id === idp && type !== 'accounts');
}

/** The provider in the account's name. Null: it may not log in. A break-glass account, which always expires, may always log in. */
export function idpOfAccount({ expiresMs }: Pick<StoredAccount, 'expiresMs'>, config: Pick<Config, 'identityProviders'>): string | null {
  return accountsProvider(config) ?? (expiresMs === null ? null : BREAK_GLASS);
}

export function userPrincipal(account: Holder, idp: string, roleBook: RoleBook): Principal {
  const grants = roleBook.ofAccount(account, idp);
  return {
    id: `${account.name}@${idp}`,
    kind: 'user',
    idp,
    roles: roleNames(grants),
    grants,
    groups: [],
    attributes: {},
    onBehalfOf: [],
  };
}
