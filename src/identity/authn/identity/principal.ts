// An identity of a provider as a principal.
import type { Identity } from '../../../contract/identity.ts';
import type { Principal } from '../../../contract/principal.ts';
import { roleNames } from '../../../contract/scope.ts';
import type { RoleBook } from '../roles.ts';

/** A machine whose only role is worker is a worker. Claims are the principal's attributes. */
export function identityPrincipal(identity: Identity, roleBook: RoleBook): Principal {
  const { idp, name, kind, groups, claims } = identity;
  const grants = roleBook.ofIdentity(identity);
  const roles = roleNames(grants);
  return {
    id: `${name}@${idp}`,
    kind: kind === 'service' && roles.length === 1 && roles[0] === 'worker' ? 'worker' : kind,
    idp,
    roles,
    grants,
    groups,
    attributes: claims,
    onBehalfOf: [],
  };
}
