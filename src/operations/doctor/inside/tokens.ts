// Service tokens that wait for a confirmation, or expire soon. Those of live workers come first, because their runs end with them.
import type { StoreAddress } from '../../../contract/store-address.ts';
import { readRows } from '../../../store/rows.ts';
import { fail, ok, type Verdict, warn } from '../finding.ts';

const HOUR_MS = 3_600_000;
const SOON_MS = 7 * 24 * HOUR_MS;
const WORKER_SOON_MS = 24 * HOUR_MS;
/** A stock worker polls every 15 s. The store has the last use to the minute. */
const LIVE_MS = 10 * 60_000;
const NAMED = 5;

interface Expiring {
  readonly name: string;
  readonly expiresMs: number;
  readonly usedByWorker: boolean;
  /** Less than a quarter of its lifetime is left: a token for a day is no news on its first morning. */
  readonly isLate: boolean;
}

export async function checkTokens(storeAt: StoreAddress, nowMs: number): Promise<readonly Verdict[]> {
  const expiring = await readExpiring(storeAt, nowMs);
  const waiting = await checkWaiting(storeAt, nowMs);
  const urgent = expiring.filter(({ usedByWorker, expiresMs }) => usedByWorker && expiresMs <= nowMs + WORKER_SOON_MS);
  const others = expiring.filter((token) => token.isLate && !urgent.includes(token));
  if (urgent.length + others.length === 0) return [...waiting, ok('no service token expires within 7 days')];
  return [
    ...waiting,
    ...(urgent.length === 0
      ? []
      : [
          warn(
            `live workers use tokens that expire within 24 hours: ${listed(urgent)}`,
            'lictor token rotate NAME --overlap 24h, then restart the worker with the new token: its runs end with the token.',
          ),
        ]),
    ...(others.length === 0 ? [] : [warn(`service tokens expire within 7 days: ${listed(others)}`, 'lictor token rotate NAME, or let them expire.')]),
  ];
}

const WAITING = `SELECT 'token' AS kind, name FROM tokens JOIN token_secrets ON token_id = tokens.id WHERE held_ms IS NOT NULL AND revoked_ms IS NULL
  AND (expires_ms IS NULL OR expires_ms > ?) UNION SELECT 'account', name FROM accounts WHERE held_ms IS NOT NULL AND removed_ms IS NULL ORDER BY 1, 2`;

/** Of a restored backup. */
async function checkWaiting(storeAt: StoreAddress, nowMs: number): Promise<readonly Verdict[]> {
  const names = (await readRows(storeAt, WAITING, nowMs)).map(({ kind, name }) => `${String(kind)} ${String(name)}`);
  if (names.length === 0) return [];
  return [
    fail(
      `a restore put these on hold, and the gateway answers them 503: ${few(names)}`,
      'lictor token confirm NAME or lictor account confirm NAME, if it was not revoked after the backup; else lictor token rotate, or account passwd.',
    ),
  ];
}

function listed(tokens: readonly Expiring[]): string {
  return few(tokens.map(({ name, expiresMs }) => `${name} (${new Date(expiresMs).toISOString()})`));
}

function few(names: readonly string[]): string {
  return `${names.slice(0, NAMED).join(', ')}${names.length > NAMED ? ` and ${names.length - NAMED} more` : ''}`;
}

/** By the newest secret, soonest first. Leaves out doctor's own tokens. */
const EXPIRING = `SELECT tokens.name AS name, tokens.roles AS roles, tokens.last_used_ms AS used, tokens.lifetime_ms AS lifetime, MAX(token_secrets.expires_ms) AS expires
FROM tokens JOIN token_secrets ON token_secrets.token_id = tokens.id
WHERE tokens.revoked_ms IS NULL
GROUP BY tokens.id HAVING COUNT(*) = COUNT(token_secrets.expires_ms) AND MAX(token_secrets.expires_ms) > ? AND MAX(token_secrets.expires_ms) <= ?
ORDER BY expires, name`;

const OF_DOCTOR = /^doctor-[0-9a-f]{8}$/;

async function readExpiring(at: StoreAddress, nowMs: number): Promise<readonly Expiring[]> {
  const rows = await readRows(at, EXPIRING, nowMs, nowMs + SOON_MS);
  const others = rows.filter(({ name }) => !OF_DOCTOR.test(String(name)));
  return others.map(({ name, roles, used, expires, lifetime }) => ({
    name: String(name),
    expiresMs: Number(expires),
    isLate: Number(expires) - nowMs <= Number(lifetime) / 4,
    usedByWorker: String(roles).includes('"worker"') && used !== null && Number(used) > nowMs - LIVE_MS,
  }));
}
