// identity_providers and roles: every binding must name somebody who can exist.
import type { Config } from '../config.ts';
import { notBuiltText } from '../not-built.ts';
import type { Keys, Report } from '../report.ts';
import type { WireConfig } from '../schema/index.ts';

type Wire = Pick<WireConfig, 'identity_providers' | 'roles'>;

export function readProviders(providers: Wire['identity_providers'], report: Report): Config['identityProviders'] {
  const seen = new Set<string>();
  for (const [index, { id }] of providers.entries()) {
    if (seen.has(id)) report(['identity_providers', index, 'id'], `${id} is there twice`, 'Give each identity provider an id of its own.');
    seen.add(id);
  }
  const accounts = providers.flatMap(({ id, type }) => (type === 'accounts' ? [{ id, type }] : []));
  if (accounts.length > 1) report(['identity_providers'], 'holds more than one of type accounts', 'Keep one: there is one set of built-in accounts.');
  return accounts;
}

/** `providerIds` undefined: they are broken themselves, so members are not held against them. */
export function readRoles(roles: Wire['roles'], providerIds: readonly string[] | undefined, report: Report): Config['roles'] {
  for (const [index, { members }] of roles.entries()) {
    for (const [at, member] of members.entries()) checkMember(member, ['roles', index, 'members', at], providerIds, report);
  }
  return roles.map(({ role, members }) => ({ role, members }));
}

function checkMember(member: string, keys: Keys, providerIds: readonly string[] | undefined, report: Report): void {
  if (/^token:[a-z0-9](?:[a-z0-9._-]{0,62})$/.test(member)) return;
  if (/^(?:group:|claim:|arn:)/.test(member)) {
    const { message, remedy } = notBuiltText('members by group, claim or ARN');
    report(keys, message, remedy);
    return;
  }
  const provider = /^(?:user:[^\s@]+|\*)@([^@]+)$/.exec(member)?.[1];
  if (provider === undefined) {
    report(keys, `${member} names nobody`, 'Write user:NAME@IDP, token:NAME or "*@IDP".');
  } else if (providerIds !== undefined && !providerIds.includes(provider)) {
    const known = providerIds.length === 0 ? 'there are none' : providerIds.join(', ');
    report(keys, `${provider} is no identity provider of this file`, `Known: ${known}. Add it to identity_providers, or correct the name.`);
  }
}
