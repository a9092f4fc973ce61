// An open socket or tunnel, as administrators see it.

export interface OpenSocket {
  /** The request id of its record. */
  readonly id: string;
  /** `prefect`: events, logs, the channel of a worker. `service`: of a service. `forward`: a connection of the forward proxy. */
  readonly kind: 'prefect' | 'service' | 'forward';
  /** The path, or host and port. */
  readonly target: string;
  readonly principal: string;
  readonly onBehalfOf: readonly string[];
  readonly credentialId: string;
  readonly sessionId: string | null;
  readonly address: string;
  readonly userAgent: string | null;
  readonly sinceMs: number;
  /** The name that a worker announced on its channel; null: no channel of a worker. */
  readonly worker: string | null;
}

export interface OpenSockets {
  list(): readonly OpenSocket[];
  /** No right ends: the client may connect again. False: there is no such socket. */
  close(id: string): boolean;
}

/** Several holders of sockets as one. */
export function joinSockets(all: readonly OpenSockets[]): OpenSockets {
  return {
    list: () => all.flatMap((each) => each.list()),
    close: (id) => all.some((each) => each.close(id)),
  };
}
