// The bounds of sockets of services, in one place.

export interface ServiceSocketLimits {
  /** Open or opening, after an allow. */
  readonly perPrincipal: number;
  readonly inAll: number;
  /** For one server. `services[].timeout` bounds all attempts together. */
  readonly connectMs: number;
  /** Of the service's answer, before the socket is open. */
  readonly headBytes: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
  /** How long the last frame may take to reach its client, and how long a service may take to follow a client that has left. */
  readonly lingerMs: number;
  readonly drainMs: number;
}

export const SERVICE_SOCKET_LIMITS: ServiceSocketLimits = {
  perPrincipal: 64,
  inAll: 2_048,
  connectMs: 1_000,
  headBytes: 16 * 1024,
  idleMs: 5 * 60_000,
  lingerMs: 1_000,
  drainMs: 3_000,
};
