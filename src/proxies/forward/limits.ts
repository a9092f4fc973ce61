// The bounds of the forward proxy, in one place.

export interface ForwardLimits {
  /** From a connection to the whole head of its request. */
  readonly headMs: number;
  readonly headBytes: number;
  readonly lookupMs: number;
  /** For all addresses of a name together. */
  readonly connectMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
  readonly perPrincipal: number;
  /** Connections of clients, with a credential or without. */
  readonly inAll: number;
  /** Look-ups under way: each holds a thread of this process that files and passwords need too. */
  readonly lookups: number;
  /** Expiries of credentials are looked at this often. */
  readonly tickMs: number;
  /** How long a refusal may take to reach its client. */
  readonly lingerMs: number;
}

export const FORWARD_LIMITS: ForwardLimits = {
  headMs: 10_000,
  headBytes: 32 * 1024,
  lookupMs: 5_000,
  connectMs: 10_000,
  idleMs: 5 * 60_000,
  perPrincipal: 64,
  inAll: 1_024,
  lookups: 2,
  tickMs: 500,
  lingerMs: 2_000,
};
