// Break-glass accounts: while one exists, a person can log in without the identity provider.
import type { StoreAddress } from '../../../contract/store-address.ts';
import { readRows } from '../../../store/rows.ts';
import { ok, type Verdict, warn } from '../finding.ts';

const LIVE = 'SELECT name, expires_ms FROM accounts WHERE removed_ms IS NULL AND expires_ms > ? ORDER BY name';

export async function checkBreakGlass(storeAt: StoreAddress, nowMs: number): Promise<Verdict> {
  const live = await readRows(storeAt, LIVE, nowMs);
  const names = live.map(({ name, expires_ms }) => `${String(name)} (until ${new Date(Number(expires_ms)).toISOString()})`);
  if (names.length === 0) return ok('no break-glass account is live');
  return warn(
    `break-glass accounts can log in without the identity provider: ${names.join(', ')}`,
    'lictor account remove NAME ends one at once. lictor audit shows what it did.',
  );
}
