import { hostname } from 'node:os';
import type { DatabaseSync } from 'node:sqlite';

/** The name of the control plane that writes this ledger, or else the host name. */
export function nodeName(db: DatabaseSync): string {
  const named = db.prepare("SELECT value FROM meta WHERE key = 'node'").get()?.['value'];
  return typeof named === 'string' ? named : hostname();
}
