// The bounds of the forward proxy, in one place.

export interface ForwardLimits {
  /** From the connection to the complete head of its request. */
  readonly headMs: number;
  readonly headBytes: number;
  readonly lookupMs: number;
  /** For all addresses of a name together. */
  readonly connectMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
  readonly perPrincipal: number;
  /** Connections of clients, with or without a credential. */
  readonly inAll: number;
  /** Simultaneous look-ups: each holds a thread that files and passwords of this process need too. */
  readonly lookups: number;
  /** How often expired credentials are checked. */
  readonly tickMs: number;
  /** How long requests may go on when the proxy closes. */
  readonly drainMs: number;
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
  drainMs: 5_000,
  lingerMs: 2_000,
};
