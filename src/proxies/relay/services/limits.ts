// The bounds of sockets of services, in one place.

export interface ServiceSocketLimits {
  /** Open or being opened, once they are allowed. */
  readonly perPrincipal: number;
  readonly inAll: number;
  /** What a client may send before its socket is open; then it is not read. */
  readonly earlyBytes: number;
  /** For one server; how long all may take together is `services[].timeout`. */
  readonly connectMs: number;
  /** Of what a service answers, before the socket is open. */
  readonly headBytes: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
  /** How long the last frame may take to reach its client, and a service to follow a client that has gone. */
  readonly lingerMs: number;
  readonly drainMs: number;
}

export const SERVICE_SOCKET_LIMITS: ServiceSocketLimits = {
  perPrincipal: 64,
  inAll: 2_048,
  earlyBytes: 64 * 1024,
  connectMs: 1_000,
  headBytes: 16 * 1024,
  idleMs: 5 * 60_000,
  lingerMs: 1_000,
  drainMs: 3_000,
};
