// Claims of a provider -> an identity: its name, its groups, and the claims that rules may use.
import type { OidcProvider } from '../../../config/config.ts';
import type { Identity } from '../../../contract/identity.ts';
import { type NotProven, notProven } from '../external/provider.ts';
import { hasWildcard, NAME } from '../identity/name.ts';
import { type Claims, isClaims } from '../jwt/compact.ts';

export type GroupsReading =
  | { readonly kind: 'groups'; readonly groups: readonly string[] }
  | { readonly kind: 'absent' }
  /** The provider says that there are groups, and does not list them. */
  | { readonly kind: 'overage' }
  | { readonly kind: 'unreadable' };

/** The first usable one is the name, else the subject. `email` counts only if the provider has verified it. */
const NAMES = ['preferred_username', 'upn', 'email'] as const;

/** Claims of the protocol, or different in every token. No rule needs them, and each change would count as a change of the person. */
const PROTOCOL: ReadonlySet<string> = new Set([
  ...['iss', 'aud', 'exp', 'iat', 'nbf', 'auth_time', 'nonce', 'azp', 'jti', 'typ', 'sid', 'session_state', 'at_hash', 'c_hash', 's_hash'],
  // Entra's internal claims.
  ...['aio', 'rh', 'uti', '_claim_names', '_claim_sources', 'hasgroups', 'signin_state', 'updated_at'],
]);
/** Okta does not report that it shortened a list. */
const OKTA = /\.(?:okta|oktapreview|okta-emea)\.com$/;
const OKTA_MOST = 100;
const LIMITS = { depth: 4, claims: 100, characters: 512, groups: 2000 } as const;

export function identityOf(
  claims: Claims,
  { id, issuer, groupsClaim }: Pick<OidcProvider, 'id' | 'issuer' | 'groupsClaim'>,
): { readonly ok: true; readonly identity: Identity } | NotProven {
  const { sub } = claims;
  if (typeof sub !== 'string' || !NAME.test(sub)) return notProven('id-token-invalid', 'the subject is empty, too long or no plain text');
  const name = nameOf(claims) ?? sub;
  if (hasWildcard(name))
    return notProven('id-token-invalid', `the subject ${name}, which no claim names otherwise, has a * in it, which stands for everybody in lictor.yaml`);
  const reading = readGroups(claims, groupsClaim);
  if (reading.kind === 'unreadable') return notProven('groups-unreadable', `the claim ${groupsClaim} is no list of names`);
  const groups = reading.kind === 'groups' ? reading.groups : [];
  const identity: Identity = { idp: id, subject: sub, name, kind: 'user', groups, claims: flatten(claims) };
  const overage = (detail: string): NotProven => ({ ...notProven('groups-overage', detail), withoutGroups: { ...identity, groups: [] } });
  if (reading.kind === 'overage') return overage(`the claim ${groupsClaim} was left out: too many groups`);
  if (groups.length >= OKTA_MOST && OKTA.test(new URL(issuer).hostname)) return overage(`Okta may have cut ${groupsClaim} off at ${OKTA_MOST}`);
  return { ok: true, identity };
}

/**
 * First by the claim's whole name (`https://example.com/groups` has dots), then as a dotted path. Entra leaves groups out above
 * 200 and reports it by `_claim_names` or `hasgroups` (OpenID Connect Core 5.6.2). Reading that as "no groups" would be a guess,
 * and a policy that forbids a group would have no effect.
 */
export function readGroups(claims: Claims, path: string): GroupsReading {
  if (isOverage(claims, path)) return { kind: 'overage' };
  const value = Object.hasOwn(claims, path) ? claims[path] : atPath(claims, path.split('.'));
  if (value === undefined || value === null) return { kind: 'absent' };
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > LIMITS.groups || !list.every(isGroupName)) return { kind: 'unreadable' };
  return { kind: 'groups', groups: [...new Set(list)].sort() };
}

/** Each list of names that `groups_claim` could name, by its path. */
export function groupLists(claims: Claims): ReadonlyMap<string, readonly string[]> {
  const lists = leavesOf(claims).filter(([path, value]) => Array.isArray(value) && path !== 'amr');
  return new Map(
    lists.flatMap(([path]) => {
      const reading = readGroups(claims, path);
      return reading.kind === 'groups' ? [[path, reading.groups] as const] : [];
    }),
  );
}

function isOverage(claims: Claims, path: string): boolean {
  const elsewhere = claims['_claim_names'];
  const top = Object.hasOwn(claims, path) ? path : (path.split('.')[0] ?? path);
  if (isClaims(elsewhere) && (Object.hasOwn(elsewhere, path) || Object.hasOwn(elsewhere, top))) return true;
  const flag = claims['hasgroups'];
  return path === 'groups' && (flag === true || flag === 'true');
}

/** No control characters and no half surrogate pairs. Blanks and slashes are usual (`/data/platform`, `Domain Users`). */
function isGroupName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LIMITS.characters && /^[^\p{Cc}\p{Cs}]+$/u.test(value);
}

function nameOf(claims: Claims): string | undefined {
  for (const key of NAMES) {
    const value = claims[key];
    if (key === 'email' && claims['email_verified'] !== true) continue;
    if (typeof value === 'string' && NAME.test(value) && !hasWildcard(value)) return value;
  }
  return undefined;
}

/**
 * Text, numbers and booleans, nested ones by dotted path, without lists. Leaves out an e-mail address that is not verified, and
 * a path that two claims share: otherwise their order would decide what a rule means.
 */
function flatten(claims: Claims): Readonly<Record<string, string>> {
  const leaves = leavesOf(claims);
  const [once, twice] = [new Set<string>(), new Set<string>()];
  for (const [path] of leaves) (once.has(path) ? twice : once).add(path);
  const flat = leaves.filter(([path, value]) => !twice.has(path) && isClaimText(value, path)).slice(0, LIMITS.claims);
  return Object.fromEntries(flat.map(([path, value]) => [path, String(value)]));
}

function leavesOf(claims: Claims): readonly (readonly [path: string, value: unknown])[] {
  const leaves: [path: string, value: unknown][] = [];
  const visit = (value: unknown, path: readonly string[]): void => {
    if (!isClaims(value)) leaves.push([path.join('.'), value]);
    else if (path.length < LIMITS.depth) for (const [key, inner] of Object.entries(value)) visit(inner, [...path, key]);
  };
  for (const [key, value] of Object.entries(claims)) if (!PROTOCOL.has(key) && !(key === 'email' && isUnverified(claims))) visit(value, [key]);
  return leaves;
}

/** OpenID Connect Core 5.1. If the provider says nothing, as Entra does, the administrator decides by the rule. */
function isUnverified({ email_verified: verified }: Claims): boolean {
  return verified === false || verified === 'false';
}

/** Only valid Unicode: policies see UTF-8, where all halves of surrogate pairs are equal. */
function isClaimText(value: unknown, name: string): boolean {
  const text = ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
  return text !== undefined && text.length <= LIMITS.characters && text.isWellFormed() && name.isWellFormed();
}

function atPath(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (isClaims(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined), value);
}
