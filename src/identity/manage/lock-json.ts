// A lock as programs see it: in the admin API and in `lictor locks --json`.
import type { Config } from '../../config/config.ts';
import { type Lock, type LockKind, lockText } from '../../contract/lock.ts';
import { noteOnLock } from '../authn/lock-notes.ts';

export interface LockJson {
  /** As `lictor lock` and `unlock` take it. */
  readonly what: string;
  readonly kind: LockKind;
  readonly value: string;
  readonly why: string;
  readonly by: string;
  readonly created_at: string;
  readonly expires_at: string | null;
  /** What it matches now, if its text alone would mislead. */
  readonly note: string | null;
}

export function lockJson(lock: Lock, config: Pick<Config, 'identityProviders'>): LockJson {
  const { kind, value, why, by, createdMs, expiresMs } = lock;
  const times = { created_at: new Date(createdMs).toISOString(), expires_at: expiresMs === null ? null : new Date(expiresMs).toISOString() };
  return { what: lockText(lock), kind, value, why, by, ...times, note: noteOnLock(lock, config) };
}
