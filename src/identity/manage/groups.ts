// Groups of providers: those of the people that Lictor knows, and those that lictor.yaml gives a role.
import type { Config } from '../../config/config.ts';
import type { Identities } from '../../store/identities.ts';
import { type RoleOrigin, roleOrigins } from '../authn/role-origins.ts';

export interface GroupJson {
  /** As lictor.yaml names it. */
  readonly id: string;
  readonly name: string;
  readonly idp: string;
  /** `scim`: the provider has provisioned it. `login`: logins name it. `configuration`: no person that Lictor knows is in it. */
  readonly known_by: 'scim' | 'login' | 'configuration';
  /** Known people in it. */
  readonly people: number;
  readonly roles: readonly RoleOrigin[];
}

export async function groupsJson(identities: Pick<Identities, 'groupSets'>, { roles }: Pick<Config, 'roles'>): Promise<readonly GroupJson[]> {
  const groups = new Map(roles.flatMap(({ members }) => members.flatMap((member) => boundGroup(member) ?? [])).map((group) => [group.id, group]));
  for (const { idp, groups: names, isProvisioned, people } of await identities.groupSets()) {
    for (const name of names) {
      const id = `group:${name}@${idp}`;
      const before = groups.get(id);
      const isScim = isProvisioned || before?.known_by === 'scim';
      groups.set(id, { id, name, idp, known_by: isScim ? 'scim' : 'login', people: (before?.people ?? 0) + people });
    }
  }
  return [...groups.values()].map((group) => ({ ...group, roles: roleOrigins({ own: [], ownSource: '', members: [group.id] }, roles) }));
}

function boundGroup(id: string): Omit<GroupJson, 'roles'> | undefined {
  const at = id.lastIndexOf('@');
  return id.startsWith('group:') ? { id, name: id.slice('group:'.length, at), idp: id.slice(at + 1), known_by: 'configuration', people: 0 } : undefined;
}
