// Break-glass accounts: while one exists, a person can log in without the identity provider.
import { ok, type Verdict, warn } from '../finding.ts';
import { readRows } from './read-rows.ts';

const LIVE = 'SELECT name, expires_ms FROM accounts WHERE removed_ms IS NULL AND expires_ms > ? ORDER BY name';

export function checkBreakGlass(storeFile: string, nowMs: number): Verdict {
  const names = readRows(storeFile, LIVE, nowMs).map(({ name, expires_ms }) => `${String(name)} (until ${new Date(Number(expires_ms)).toISOString()})`);
  if (names.length === 0) return ok('no break-glass account is live');
  return warn(
    `break-glass accounts can log in without the identity provider: ${names.join(', ')}`,
    'lictor account remove NAME ends one at once. lictor audit shows what it did.',
  );
}
