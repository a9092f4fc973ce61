// A proven person as SCIM knows the person: its groups replace those of the claims, and an inactive person is refused.
import type { Identity } from '../../../contract/identity.ts';
import type { Store } from '../../../store/store.ts';
import { type NotProven, notProven, type Proven } from './provider.ts';

/** Without SCIM, or for a person that it does not know, the claims decide. */
export async function provisionedIdentity(
  identities: Pick<Store['identities'], 'provisioned'>,
  { identity, groupsMissing }: Pick<Proven, 'identity' | 'groupsMissing'>,
): Promise<{ readonly ok: true; readonly identity: Identity } | NotProven> {
  const known = await identities.provisioned(identity);
  if (known === undefined) return groupsMissing ?? { ok: true, identity };
  if (!known.isActive) return notProven('locked', `${identity.name}@${identity.idp} was deactivated or deleted by SCIM`);
  return { ok: true, identity: { ...identity, groups: known.groups } };
}
