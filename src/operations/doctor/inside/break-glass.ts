// Break-glass accounts: while one exists, a person can log in without the identity provider.
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { ok, type Verdict, warn } from '../finding.ts';

/** Reads only. Another check reports an unreadable store. */
export function checkBreakGlass(storeFile: string, nowMs: number): Verdict {
  const names = existsSync(storeFile) ? liveNames(storeFile, nowMs) : [];
  if (names.length === 0) return ok('no break-glass account is live');
  return warn(
    `break-glass accounts can log in without the identity provider: ${names.join(', ')}`,
    'lictor account remove NAME ends one at once. lictor audit shows what it did.',
  );
}

function liveNames(file: string, nowMs: number): readonly string[] {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true });
    const rows = database.prepare('SELECT name, expires_ms FROM accounts WHERE removed_ms IS NULL AND expires_ms > ? ORDER BY name').all(nowMs);
    return rows.map(({ name, expires_ms }) => `${String(name)} (until ${new Date(Number(expires_ms)).toISOString()})`);
  } catch {
    return [];
  } finally {
    database?.close();
  }
}
