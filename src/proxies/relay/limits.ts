// Every bound of the relay in one place.

export interface RelayLimits {
  /** All connections from nginx. A further one goes to the supervisor, waits there, and is asked again. */
  readonly connections: number;
  /** From the 101 to the first frame. */
  readonly firstFrameMs: number;
  /** The same for a client that its header has authorised: only its own auth frame is missing. */
  readonly authorisedFirstFrameMs: number;
  /** The most bytes of a socket before it is authenticated. */
  readonly firstFrameBytes: number;
  /** Sockets without a credential yet: per address, and of all. Further ones wait before their 101. */
  readonly waitingPerAddress: number;
  readonly waitingTotal: number;
  /** How many of them get their 101 in a second. It bounds the cost of a flood that leaves at once. */
  readonly waitingPerSecond: number;
  /** Largest message from a client (else 1009) and from Prefect. */
  readonly frameBytes: number;
  readonly upstreamFrameBytes: number;
  /** Buffered for a socket without an upstream yet. Beyond it reading stops. */
  readonly holdBytes: number;
  /** Closed clients whose last frames wait for an upstream. The frames of further ones are dropped. */
  readonly left: number;
  /** Unsent bytes at which reading from the other side stops, and at which it resumes. */
  readonly highWaterBytes: number;
  readonly lowWaterBytes: number;
  /** `auth_success` waits this long for Prefect, then is sent without it: a client can wait only after its handshake. */
  readonly greetAfterMs: number;
  /** How long Prefect may be missing before an accepted socket is closed with 1012. */
  readonly upstreamHoldMs: number;
  /** How long decisions may fail before an upgrade is refused with 503. */
  readonly decisionHoldMs: number;
  /** How long the ledger may fail before a socket that changes things is refused. Less than the 10 s that stock clients wait for the 101. */
  readonly recordHoldMs: number;
  readonly drainMs: number;
  /** How often deadlines, expiries and the change number are checked. */
  readonly tickMs: number;
}

export const RELAY_LIMITS: RelayLimits = {
  connections: 12_288,
  firstFrameMs: 5000,
  authorisedFirstFrameMs: 30_000,
  firstFrameBytes: 64 * 1024,
  waitingPerAddress: 50,
  waitingTotal: 1000,
  waitingPerSecond: 200,
  frameBytes: 2 * 1024 * 1024,
  upstreamFrameBytes: 16 * 1024 * 1024,
  holdBytes: 256 * 1024,
  left: 256,
  highWaterBytes: 1024 * 1024,
  lowWaterBytes: 256 * 1024,
  greetAfterMs: 1000,
  upstreamHoldMs: 30_000,
  decisionHoldMs: 20_000,
  recordHoldMs: 5000,
  drainMs: 3000,
  tickMs: 500,
};
