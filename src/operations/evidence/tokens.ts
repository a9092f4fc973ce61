// Service tokens: their age, the age of their secrets, and remarks for a reviewer.
import { scopeText } from '../../contract/scope.ts';
import { isoTime } from '../../contract/time-text.ts';
import type { StoredToken } from '../../store/tokens.ts';
import type { TokenRow } from './data.ts';
import type { Usage } from './usage.ts';

const DAY_MS = 86_400_000;
/** A year, as in most reviews. */
const OLD_DAYS = 365;
const UNUSED_DAYS = 90;

/** Leaves out tokens that were revoked before the period. */
export function gatherTokens(
  tokens: readonly StoredToken[],
  usage: Usage,
  { from, nowMs }: { readonly from: string; readonly nowMs: number },
): readonly TokenRow[] {
  const listed = tokens.filter(({ name, revokedMs }) => !usage.isDoctors(`token:${name}`) && (revokedMs === null || isoTime(revokedMs) >= from));
  return listed.map((token) => toRow(token, usage, nowMs)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function toRow(token: StoredToken, { events }: Usage, nowMs: number): TokenRow {
  const newest = token.secrets[0];
  const live = token.secrets.filter(({ expiresMs }) => expiresMs === null || expiresMs > nowMs);
  const ends = token.secrets.map(({ expiresMs }) => expiresMs);
  const expires = ends.includes(null) ? null : Math.max(...ends.filter((end) => end !== null));
  const row = {
    name: token.name,
    id: token.id,
    roles: token.roles,
    scope: token.scope === null ? null : scopeText(token.scope),
    networks: token.cidrs,
    status: statusOf(token, live.length),
    created: isoTime(token.createdMs),
    age_days: days(nowMs - token.createdMs),
    secret_since: newest === undefined ? null : isoTime(newest.createdMs),
    secret_age_days: newest === undefined ? null : days(nowMs - newest.createdMs),
    live_secrets: token.revokedMs === null ? live.length : 0,
    expires: expires === null ? null : isoTime(expires),
    last_used: token.lastUsedMs === null ? null : isoTime(token.lastUsedMs),
    rotations_in_period: events.filter(({ action, resource }) => action === 'token.rotate' && resource === `ServiceToken ${token.name}`).length,
  };
  return { ...row, remarks: row.status === 'live' ? remarks(row, nowMs) : [] };
}

function remarks(row: Omit<TokenRow, 'remarks'>, nowMs: number): readonly string[] {
  const unusedDays = days(nowMs - Date.parse(row.last_used ?? row.created));
  return [
    ...(row.expires === null ? ['never expires'] : []),
    ...((row.secret_age_days ?? 0) > OLD_DAYS ? [`secret older than ${OLD_DAYS} days`] : []),
    ...(row.last_used === null ? ['never used'] : []),
    ...(unusedDays > UNUSED_DAYS ? [`not used for ${unusedDays} days`] : []),
    ...(row.live_secrets > 1 ? ['two secrets are valid: a rotation is running'] : []),
    ...(row.networks.length === 0 ? ['from any address'] : []),
  ];
}

function statusOf({ revokedMs }: StoredToken, live: number): TokenRow['status'] {
  if (revokedMs !== null) return 'revoked';
  return live === 0 ? 'expired' : 'live';
}

function days(ms: number): number {
  return Math.max(0, Math.floor(ms / DAY_MS));
}
