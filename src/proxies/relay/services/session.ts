// An open socket of a service: forwards bytes both ways, and ends it in time, with a close frame to the client if possible.
import type { Socket } from 'node:net';
import { REASONS } from '../../../contract/reasons.ts';
import { CLOSE, refusalReason } from '../../../prefect/frames/close-codes.ts';
import { createFrameEdges, renderClose } from '../../../prefect/frames/frame-edges.ts';
import { joinTunnel } from '../../tunnels/join.ts';
import { type Ending, endingOf, recordEnd, type ServiceSocketCore, type Session } from './core.ts';
import type { ServiceSocket } from './open.ts';

export interface SocketEnds {
  readonly client: Socket;
  readonly early: Buffer;
  readonly opened: ServiceSocket;
}

/** The 101 has been written. */
export function runSession(core: ServiceSocketCore, session: Session, { client, early, opened }: SocketEnds): void {
  const { socket: upstream, head } = opened;
  const { limits } = core;
  const edges = createFrameEdges();
  edges.pass(head);
  upstream.on('data', (chunk) => edges.pass(chunk));
  // A client that has left reads no close frame. The service gets a moment to end its side.
  client.once('end', () => destroyAfter(upstream, limits.lingerMs));
  session.ending.signal.addEventListener('abort', () => {
    client.unpipe(upstream);
    upstream.unpipe(client);
    upstream.destroy();
    say(client, endingOf(session), edges.mayInsert());
    destroyAfter(client, limits.lingerMs);
  });
  joinTunnel({
    ...{ client, upstream, fromClient: early, fromUpstream: head, idleMs: limits.idleMs },
    onIdle: () => session.ending.abort('socket-idle' satisfies Ending),
    onClosed(bytes) {
      core.sessions.delete(session);
      const ending = endingOf(session);
      void recordEnd(core, session, { status: 101, bytes, ...(ending !== undefined && ending !== 'client-gone' && { reason: ending }) });
    },
  });
}

/** A frame inside one of the service's frames would be read as its data. Then the connection is cut. */
function say(client: Socket, ending: Ending | undefined, mayInsert: boolean): void {
  if (ending === undefined || ending === 'client-gone' || !mayInsert) return void client.destroy();
  const isRight = REASONS[ending].status === 401 || REASONS[ending].status === 403;
  client.end(renderClose(isRight ? CLOSE.policy : CLOSE.goingAway, refusalReason(ending)));
  // Further data is discarded, so that the client can read the close frame.
  client.resume();
}

function destroyAfter(socket: Socket, afterMs: number): void {
  const timer = setTimeout(() => socket.destroy(), afterMs);
  socket.once('close', () => clearTimeout(timer));
}
