// Identity providers beyond their metadata: the client, its callback, and the groups of people.
import type { Config, OidcProvider } from '../../../config/config.ts';
import type { NotProven } from '../../../identity/authn/external/provider.ts';
import type { Person } from '../../../identity/authn/oidc/test-login.ts';
import type { Outbound } from '../../../identity/authn/outbound.ts';
import { readRows } from '../../../store/rows.ts';
import { ok, type Verdict } from '../finding.ts';
import { jsonField } from '../outside/http-probe.ts';
import { openTestLogin, tryClient } from '../outside/oidc-client.ts';
import { fault, hint } from './codes.ts';

export interface ClientSubject {
  readonly provider: OidcProvider;
  readonly outbound: Pick<Outbound, 'fetch'>;
  readonly callbackUrl: string;
}

/** Nothing if the provider is away: the check of its metadata says so. */
export async function checkOidcClient({ provider, outbound, callbackUrl }: ClientSubject): Promise<readonly Verdict[]> {
  const { notBegun, rejected, callbackStatus } = await tryClient(provider, outbound, callbackUrl);
  if (notBegun !== null) return [];
  if (rejected !== null) return [fault('client-rejected', `${provider.id} rejects the client: ${rejected}`)];
  const problems = [
    ...(callbackStatus === null ? [] : [fault('callback-unknown', `${provider.id} rejects the callback ${callbackUrl} (${callbackStatus})`)]),
    ...(await pkceProblems(provider, outbound)),
  ];
  return problems.length > 0 ? problems : [ok(`${provider.id} accepts the client, its callback and PKCE`)];
}

async function pkceProblems({ id, issuer, clientSecret }: OidcProvider, outbound: Pick<Outbound, 'fetch'>): Promise<readonly Verdict[]> {
  const answer = await outbound.fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const methods = jsonField(await answer.text(), 'code_challenge_methods_supported');
  if (Array.isArray(methods) && methods.includes('S256')) return [];
  const message = `${id} does not offer PKCE with S256`;
  return [clientSecret === null ? fault('pkce-missing', message) : hint('pkce-missing', message)];
}

/** The device flow of the provider (RFC 8628). `show`: where the person logs in. */
export async function checkTestLogin(
  subject: ClientSubject,
  config: Pick<Config, 'roles'>,
  show: (page: string, code: string) => void,
): Promise<readonly Verdict[]> {
  const { provider, outbound } = subject;
  const device = await openTestLogin(provider, outbound).device();
  if (device === undefined) return [ok(`${provider.id} has no device flow: log in at public_url, then run this again, to see the groups of that login`)];
  show(device.page, device.userCode);
  return loginProblems(provider, config, await device.finish());
}

export function loginProblems(
  provider: Pick<OidcProvider, 'id' | 'groupsClaim'>,
  config: Pick<Config, 'roles'>,
  person: Person | NotProven,
): readonly Verdict[] {
  const { id, groupsClaim } = provider;
  if (!person.ok) return [fault('client-rejected', `the test login at ${id} failed: ${person.detail}`)];
  const { name, groups } = person.identity;
  const others = [...person.lists.keys()].join(', ');
  if (groups.length === 0)
    return [fault('groups-missing', `the login of ${name}@${id} has no groups in ${groupsClaim}${others === '' ? '' : `, but lists in ${others}`}`)];
  return [ok(`${name}@${id} has the groups ${groups.join(', ')}`), ...groupProblems(id, groupsOfRoles(config, id), groups)];
}

/** The groups that people had at their last login, against those that `roles` names. */
export async function checkGroups(id: string, config: Pick<Config, 'roles' | 'storeAt'>): Promise<readonly Verdict[]> {
  const wanted = groupsOfRoles(config, id);
  const rows = await readRows(config.storeAt, "SELECT groups FROM identities WHERE idp = ? AND kind = 'user'", id);
  if (wanted.length === 0 || rows.length === 0) return [];
  const had = [...new Set(rows.flatMap(({ groups }) => namesIn(String(groups))))];
  if (had.length === 0)
    return [fault('groups-missing', `none of the ${rows.length} people who logged in at ${id} has a group, and roles names groups of ${id}`)];
  const problems = groupProblems(id, wanted, had);
  return problems.length > 0 ? problems : [ok(`people of ${id} logged in with ${had.length} groups`)];
}

function namesIn(json: string): readonly string[] {
  const value: unknown = JSON.parse(json);
  return Array.isArray(value) ? value.map(String) : [];
}

function groupsOfRoles({ roles }: Pick<Config, 'roles'>, id: string): readonly string[] {
  const members = roles.flatMap((role) => role.members);
  return [...new Set(members.flatMap((member) => (member.startsWith('group:') && member.endsWith(`@${id}`) ? [member.slice(6, -id.length - 1)] : [])))];
}

/** Keycloak sends the path of a group; other providers differ in case and spaces. */
function groupProblems(id: string, wanted: readonly string[], had: readonly string[]): readonly Verdict[] {
  return wanted.flatMap((name) => {
    if (had.includes(name)) return [];
    const meant = had.find((group) => plain(group) === plain(name));
    return meant === undefined ? [] : [fault('group-misspelt', `roles names the group ${JSON.stringify(name)}, and ${id} sends ${JSON.stringify(meant)}`)];
  });
}

function plain(group: string): string {
  return group.replace(/^\//, '').trim().toLowerCase();
}
