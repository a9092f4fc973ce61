// Attributes of an assertion -> an identity: its name, its groups, and the attributes that rules may use.
import type { SamlProvider } from '../../../config/config.ts';
import type { Identity } from '../../../contract/identity.ts';
import { type NotProven, notProven } from '../external/provider.ts';
import { hasWildcard, NAME } from '../identity/name.ts';
import type { Assertion } from './assertion.ts';
import { FORMAT } from './names.ts';

/** Names that the provider assigns and people do not choose: user principal name (Entra, AD FS), eduPersonPrincipalName, uid. */
const NAMES = ['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn', 'urn:oid:1.3.6.1.4.1.5923.1.1.1.6', 'urn:oid:0.9.2342.19200300.100.1.1'] as const;
const LIMITS = { characters: 512, claims: 100 } as const;
/** Entra writes it instead of more than 150 groups. Lictor would need another request to read them. */
const GROUPS_ELSEWHERE = 'http://schemas.microsoft.com/claims/groups.link';

export function identityOf(
  { nameId, attributes }: Pick<Assertion, 'nameId' | 'attributes'>,
  { id, groupsAttribute }: Pick<SamlProvider, 'id' | 'groupsAttribute'>,
): { readonly ok: true; readonly identity: Identity } | NotProven {
  const groups = attributes.get(groupsAttribute) ?? [];
  if (!groups.every(isGroupName)) return notProven('groups-unreadable', `the attribute ${groupsAttribute} is no list of names`);
  const claims = [...attributes].flatMap(([name, values]) => {
    const [value] = values;
    return name !== groupsAttribute && values.length === 1 && value !== undefined && value.length <= LIMITS.characters ? [[name, value] as const] : [];
  });
  const name = nameOf(nameId, attributes);
  if (hasWildcard(name)) return notProven('assertion-invalid', `the name ${name} has a * in it, which stands for everybody in lictor.yaml`);
  const identity: Identity = {
    idp: id,
    subject: nameId.value,
    name,
    kind: 'user',
    groups: [...new Set(groups)].sort(),
    claims: Object.fromEntries(claims.slice(0, LIMITS.claims)),
  };
  if (attributes.has(GROUPS_ELSEWHERE))
    return { ...notProven('groups-overage', 'the groups were left out: too many'), withoutGroups: { ...identity, groups: [] } };
  return { ok: true, identity };
}

/** A persistent NameID is random text: lictor.yaml could not name a person by it. */
function nameOf(nameId: Assertion['nameId'], attributes: Assertion['attributes']): string {
  if (nameId.format !== FORMAT.persistent) return nameId.value;
  const found = NAMES.map((name) => attributes.get(name)).find((values) => values?.length === 1 && isName(values[0] ?? ''));
  return found?.[0] ?? nameId.value;
}

function isName(value: string): boolean {
  return NAME.test(value) && !hasWildcard(value);
}

/** No control characters. Blanks and slashes are usual (`/data/platform`, `Domain Users`). */
function isGroupName(value: string): boolean {
  return value.length <= LIMITS.characters && /^\P{Cc}+$/u.test(value);
}
