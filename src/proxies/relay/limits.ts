// Every bound of the relay in one place.

export interface RelayLimits {
  /** From 101 to the first frame. */
  readonly firstFrameMs: number;
  /** The same for a client whose header has decided already: it only owes its own auth frame. */
  readonly authorisedFirstFrameMs: number;
  /** What a socket may send before it is authenticated. */
  readonly firstFrameBytes: number;
  /** Sockets without a credential yet: per address and altogether; more wait before their 101. */
  readonly waitingPerAddress: number;
  readonly waitingTotal: number;
  /** How many of them get their 101 in a second; a flood that leaves at once costs no more than these. */
  readonly waitingPerSecond: number;
  /** Largest message from a client (else 1009) and from Prefect. */
  readonly frameBytes: number;
  readonly upstreamFrameBytes: number;
  /** Held for a socket whose upstream is not there yet; then its reading stops. */
  readonly holdBytes: number;
  /** Unsent bytes at which the other side's reading stops, and at which it goes on. */
  readonly highWaterBytes: number;
  readonly lowWaterBytes: number;
  /** `auth_success` waits for Prefect that long, then goes out without it: a client cannot be held in its handshake, only behind it. */
  readonly greetAfterMs: number;
  /** How long Prefect may be away before an accepted socket is closed with 1012. */
  readonly upstreamHoldMs: number;
  /** How long the decision may be impossible before an upgrade is refused with 503. */
  readonly decisionHoldMs: number;
  readonly drainMs: number;
  /** Deadlines, expiries and the change number are looked at this often. */
  readonly tickMs: number;
}

export const RELAY_LIMITS: RelayLimits = {
  firstFrameMs: 5000,
  authorisedFirstFrameMs: 30_000,
  firstFrameBytes: 64 * 1024,
  waitingPerAddress: 50,
  waitingTotal: 1000,
  waitingPerSecond: 200,
  frameBytes: 2 * 1024 * 1024,
  upstreamFrameBytes: 16 * 1024 * 1024,
  holdBytes: 256 * 1024,
  highWaterBytes: 1024 * 1024,
  lowWaterBytes: 256 * 1024,
  greetAfterMs: 1000,
  upstreamHoldMs: 30_000,
  decisionHoldMs: 20_000,
  drainMs: 3000,
  tickMs: 500,
};
