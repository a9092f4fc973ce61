// CONNECT: bytes both ways between the client and the one address that was looked at, until either ends or both are silent.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { admit } from './admit.ts';
import { type ForwardCore, recordEnd, type Session } from './core.ts';
import { refuseOn } from './refuse.ts';
import { readVisit } from './visit.ts';

export interface TunnelRequest {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** What came behind the head of the request: part of the tunnel. */
  readonly head: Buffer;
}

export async function answerConnect(core: ForwardCore, { request, socket, head }: TunnelRequest): Promise<void> {
  const visit = readVisit(request, core.parts.clock());
  const admitted = await admit(core, visit, socket);
  if (!admitted.ok) return refuseOn(socket, admitted.reason, visit.inputs.requestId, core.limits.lingerMs);
  socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
  join(core, admitted.session, { client: socket, upstream: admitted.upstream, head });
}

interface Ends {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly head: Buffer;
}

/** Half closed is still open the other way; what is silent for too long is closed whole. */
function join(core: ForwardCore, session: Session, { client, upstream, head }: Ends): void {
  const cut = (): void => {
    client.destroy();
    upstream.destroy();
  };
  // Bytes in one direction keep both ends: a long download sends nothing.
  const silence = setTimeout(cut, core.limits.idleMs);
  const heard = (): void => void silence.refresh();
  client.on('data', heard);
  upstream.on('data', heard);
  // Reading both: node's own counters are those of the sockets.
  if (head.length > 0) upstream.write(head);
  client.pipe(upstream);
  upstream.pipe(client);
  client.once('close', () => upstream.destroy());
  upstream.once('close', () => {
    clearTimeout(silence);
    core.sessions.delete(session);
    // What has come is handed on first.
    client.destroySoon();
    void recordEnd(core, session, { status: 200, bytes: upstream.bytesRead + upstream.bytesWritten });
  });
  // One of the two may have ended while the other was being connected.
  if (client.destroyed || upstream.destroyed) cut();
}
