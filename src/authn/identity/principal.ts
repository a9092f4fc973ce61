// An identity of a provider as a principal.
import type { Identity } from '../../contract/identity.ts';
import type { Principal } from '../../contract/principal.ts';
import type { RoleBook } from '../roles.ts';

/** A machine whose only role is worker is a worker. Claims are the principal's attributes. */
export function identityPrincipal(identity: Identity, roleBook: RoleBook): Principal {
  const { idp, name, kind, groups, claims } = identity;
  const roles = roleBook.ofIdentity(identity);
  return {
    id: `${name}@${idp}`,
    kind: kind === 'service' && roles.length === 1 && roles[0] === 'worker' ? 'worker' : kind,
    idp,
    roles,
    groups,
    attributes: claims,
    onBehalfOf: [],
  };
}
