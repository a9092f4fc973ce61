// What an administrator may shut out at once: a principal, a session, a provider, a client address.

export const LOCK_KINDS = ['principal', 'session', 'idp', 'address'] as const;
export type LockKind = (typeof LOCK_KINDS)[number];

export interface LockTarget {
  readonly kind: LockKind;
  /** `alice@local` or `token:etl`; the session's id as records show it; the provider's id; an address or a network. */
  readonly value: string;
}

export interface Lock extends LockTarget {
  /** It was set on people of the built-in accounts: it holds on them whatever lictor.yaml calls their provider later, or when it has none. */
  readonly ofAccounts: boolean;
  /** Why, in the administrator's words; empty when none were given. */
  readonly why: string;
  /** Who locked, `local:NAME`. */
  readonly by: string;
  readonly createdMs: number;
  /** Epoch milliseconds after which it holds no more; null: until it is taken away. */
  readonly expiresMs: number | null;
}

/** Left out, `ofAccounts` is false: it holds to the letter. */
export type NewLock = Omit<Lock, 'createdMs' | 'ofAccounts'> & Partial<Pick<Lock, 'ofAccounts'>>;

/** As it is written on the command line and in records. A principal's id stands for itself. */
export function lockText({ kind, value }: LockTarget): string {
  return kind === 'principal' ? value : `${kind}:${value}`;
}
