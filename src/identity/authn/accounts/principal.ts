// A built-in account as a principal.
import type { Config } from '../../../config/config.ts';
import { BREAK_GLASS } from '../../../contract/names.ts';
import type { Principal } from '../../../contract/principal.ts';
import { roleNames } from '../../../contract/scope.ts';
import type { StoredAccount } from '../../../store/accounts.ts';
import type { Holder, RoleBook } from '../roles.ts';

/** Id of the identity provider that the built-in accounts are; null: the configuration has none, nobody but break-glass accounts logs in. */
export function accountsProvider(config: Pick<Config, 'identityProviders'>): string | null {
  return config.identityProviders.find((provider) => provider.type === 'accounts')?.id ?? null;
}

/**
 * Whether who is called NAME@IDP may be an account: the id is no other provider's. Texts that were written down when lictor.yaml called
 * the accounts otherwise name nobody else either.
 */
export function mayBeAccounts(idp: string, config: Pick<Config, 'identityProviders'>): boolean {
  return !config.identityProviders.some(({ id, type }) => id === idp && type !== 'accounts');
}

/** By which provider's name the account goes; null: it may not log in. Break glass: one that ends by itself may, whatever the configuration says. */
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
