// Holds upgrades that no control plane accepts, bounded in number and time. When the hold closes a connection, nginx asks the control plane again.
import type { Socket } from 'node:net';

export interface ConnectionHold {
  /** Reads and drops the bytes: nginx has the request, and only reading shows at once that a client left. */
  take(socket: Socket): void;
  /** The control plane is ready: releases all held connections. Later ones are released after a moment. */
  open(): void;
  /** Holds from now on. */
  close(): void;
  /** Closes all held connections. */
  destroy(): void;
  size(): number;
}

export interface HoldLimits {
  readonly connections: number;
  readonly holdMs: number;
  /** For connections that a ready control plane did not accept: its queue was full, or it has just died. */
  readonly readyMs: number;
}

/** A held connection costs one descriptor. A rejected `/events/in` loses its events, and a minute covers a restart. */
export const HOLD_LIMITS: HoldLimits = { connections: 2000, holdMs: 60_000, readyMs: 500 };

export function createConnectionHold(limits: HoldLimits = HOLD_LIMITS): ConnectionHold {
  const held = new Map<Socket, NodeJS.Timeout>();
  let ready = false;

  const end = (socket: Socket) => {
    clearTimeout(held.get(socket));
    held.delete(socket);
    socket.destroy();
  };
  const endAll = () => {
    for (const socket of [...held.keys()]) end(socket);
  };
  return {
    take(socket) {
      socket.on('error', () => end(socket));
      if (held.size >= limits.connections) {
        socket.destroy();
        return;
      }
      held.set(
        socket,
        setTimeout(() => end(socket), ready ? limits.readyMs : limits.holdMs),
      );
      socket.once('close', () => end(socket));
      socket.resume();
    },
    open() {
      ready = true;
      endAll();
    },
    close() {
      ready = false;
    },
    destroy: endAll,
    size: () => held.size,
  };
}
