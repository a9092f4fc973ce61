// Locks, in effect at once: of an administrator on a principal, a session, a provider, a client address; of a provider on its own person (SCIM).

export const LOCK_KINDS = ['principal', 'session', 'idp', 'address', 'scim'] as const;
export type LockKind = (typeof LOCK_KINDS)[number];

export interface LockTarget {
  readonly kind: LockKind;
  /** `alice@local` or `token:etl`; the session's id as records show it; the provider's id; an address or a network; for `scim` the person. */
  readonly value: string;
}

export interface Lock extends LockTarget {
  /** Set on the built-in accounts: it holds even if lictor.yaml renames or removes their provider. */
  readonly ofAccounts: boolean;
  /** The reason that the administrator gave; empty: none. */
  readonly why: string;
  /** Who locked, `local:NAME`; `scim:IDP` for `scim`. */
  readonly by: string;
  readonly createdMs: number;
  /** Epoch milliseconds of its end; null: until it is removed. */
  readonly expiresMs: number | null;
}

/** `ofAccounts` left out: false, the value is compared exactly. */
export type NewLock = Omit<Lock, 'createdMs' | 'ofAccounts'> & Partial<Pick<Lock, 'ofAccounts'>>;

/** As it is written on the command line and in records. A principal's id stands for itself. */
export function lockText({ kind, value }: LockTarget): string {
  return kind === 'principal' ? value : `${kind}:${value}`;
}
