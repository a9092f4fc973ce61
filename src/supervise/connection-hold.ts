// Relay connections that nobody can take yet: kept unread, bounded in number and time, until the control plane is ready.
import type { Socket } from 'node:net';

export interface ConnectionHold {
  /** A new connection, or one that could not be handed over. */
  take(socket: Socket): void;
  /** Hands over what is held, in order, and everything that comes. */
  open(deliver: (socket: Socket) => void): void;
  /** Holds from now on. */
  close(): void;
  /** Ends what is held. */
  destroy(): void;
  size(): number;
}

export interface HoldLimits {
  readonly connections: number;
  readonly holdMs: number;
}

/** A held connection costs one descriptor. A refused `/events/in` loses the events in hand for good; a minute covers a restart. */
export const HOLD_LIMITS: HoldLimits = { connections: 10_000, holdMs: 60_000 };

export function createConnectionHold(limits: HoldLimits = HOLD_LIMITS): ConnectionHold {
  const held = new Map<Socket, NodeJS.Timeout>();
  let deliver: ((socket: Socket) => void) | undefined;

  const drop = (socket: Socket) => {
    clearTimeout(held.get(socket));
    held.delete(socket);
  };
  const end = (socket: Socket) => {
    drop(socket);
    socket.destroy();
  };
  return {
    take(socket) {
      if (deliver !== undefined) {
        deliver(socket);
        return;
      }
      socket.once('error', () => end(socket));
      if (held.size >= limits.connections) socket.destroy();
      else
        held.set(
          socket,
          setTimeout(() => end(socket), limits.holdMs),
        );
    },
    open(to) {
      deliver = to;
      for (const socket of [...held.keys()]) {
        drop(socket);
        to(socket);
      }
    },
    close() {
      deliver = undefined;
    },
    destroy() {
      for (const socket of [...held.keys()]) end(socket);
    },
    size: () => held.size,
  };
}
