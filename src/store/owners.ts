// The owner of a session or a grant: a built-in account, or an identity of a provider.
import type { Identity } from '../contract/identity.ts';
import type { Scope } from '../contract/scope.ts';
import { toIdentity } from './identities.ts';
import { fromColumn } from './lists.ts';
import { scopeFromColumn } from './scopes.ts';

export type SessionOwner =
  | {
      readonly kind: 'account';
      readonly account: {
        readonly id: string;
        readonly name: string;
        readonly roles: readonly string[];
        readonly scope: Scope | null;
        readonly expiresMs: number | null;
      };
    }
  | {
      readonly kind: 'identity';
      readonly identityId: string;
      readonly identity: Identity;
      /** The provider that asserted it; null: stored before this column. */
      readonly word: string | null;
    };

/** The joined columns of both. The query excludes a removed account. */
export interface OwnerRow {
  readonly account_id: string | null;
  readonly account_name: string | null;
  readonly account_expires_ms: number | null;
  readonly roles: string | null;
  readonly scope: string | null;
  readonly identity_id: string | null;
  readonly idp: string | null;
  readonly subject: string | null;
  readonly identity_name: string | null;
  readonly kind: 'user' | 'service' | null;
  readonly groups: string | null;
  readonly claims: string | null;
  readonly word: string | null;
}

/** What a row has of its account and its identity, which are joined to it. */
export const OWNER_COLUMNS = [
  'accounts.name as account_name',
  'accounts.roles',
  'accounts.scope',
  'accounts.expires_ms as account_expires_ms',
  'identities.idp',
  'identities.subject',
  'identities.name as identity_name',
  'identities.kind',
  'identities.groups',
  'identities.claims',
  'identities.word',
] as const;

/** Undefined: the owner was removed. */
export function ownerOf(row: OwnerRow): SessionOwner | undefined {
  const { account_id, account_name, account_expires_ms, roles, scope, identity_id, idp, subject, identity_name, kind, groups, claims, word } = row;
  if (account_id !== null && account_name !== null && roles !== null) {
    return {
      kind: 'account',
      account: { id: account_id, name: account_name, roles: fromColumn(roles), scope: scopeFromColumn(scope), expiresMs: account_expires_ms },
    };
  }
  if (identity_id === null || idp === null || subject === null || identity_name === null || kind === null || groups === null || claims === null)
    return undefined;
  return { kind: 'identity', identityId: identity_id, word, identity: toIdentity({ idp, subject, name: identity_name, kind, groups, claims }) };
}
