// CONNECT: bytes both ways between the client and the one checked address, until either side ends or both are silent.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { joinTunnel } from '../tunnels/join.ts';
import { admit } from './admit.ts';
import { type ForwardCore, recordEnd, type Session } from './core.ts';
import { refuseOn } from './refuse.ts';
import { readVisit } from './visit.ts';

export interface TunnelRequest {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** Data after the head of the request: part of the tunnel. */
  readonly head: Buffer;
}

/** False: refused. The connection stays only until its client has read that. */
export async function answerConnect(core: ForwardCore, { request, socket, head }: TunnelRequest): Promise<boolean> {
  const visit = readVisit(request, core.parts.clock());
  const admitted = await admit(core, visit, socket);
  if (admitted.ok) {
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    join(core, admitted.session, { client: socket, upstream: admitted.upstream, head });
  } else refuseOn(socket, admitted.reason, visit.inputs.requestId, core.limits.lingerMs);
  return admitted.ok;
}

interface Ends {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly head: Buffer;
}

function join(core: ForwardCore, session: Session, { client, upstream, head }: Ends): void {
  joinTunnel({
    ...{ client, upstream, fromClient: head, idleMs: core.limits.idleMs },
    onIdle() {
      client.destroy();
      upstream.destroy();
    },
    onClosed(bytes) {
      core.sessions.delete(session);
      void recordEnd(core, session, { status: 200, bytes });
    },
  });
}
