// Joins a client's socket with the upstream socket: frames, pings and closes in order, with memory bounded by the water marks.
import type { WebSocket } from 'ws';
import { CLOSE, closingFromClient, closingFromUpstream } from './close-codes.ts';
import { within } from './first-frame.ts';
import { createFlow, endSide, type Outgoing, type WaterMarks } from './flow-control.ts';
import type { Frame, Inbox } from './inbox.ts';

export interface SocketEnd {
  readonly socket: WebSocket;
  readonly inbox: Inbox;
}

export interface JoinedEnds {
  readonly client: SocketEnd;
  readonly upstream: SocketEnd;
  /** The credential of the upstream socket: no close reason contains it. */
  readonly secret: string | null;
  readonly marks: WaterMarks;
  /** Gets each frame of the client, also pings; `send` forwards upstream. */
  readonly pass: (frame: Frame, send: (frame: Outgoing) => void) => void;
  /** Resolves when all frames that `pass` got are forwarded. Left out: `pass` forwards at once. */
  readonly passed?: () => Promise<void>;
  /** Gets each text or binary frame of the upstream; `send` forwards to the client. Left out: all are forwarded unchanged. */
  readonly deliver?: (frame: Frame, send: (frame: Outgoing) => void) => void;
}

/** After a client's close, its last frames may take so long. A Prefect that is overloaded takes most of a minute for an answer. */
export const LAST_FRAMES_MS = 60_000;

/**
 * The client may have closed before: then its frames that wait are forwarded. Forwards pings from end to end: a pong proves to stock clients that Prefect has all earlier frames, so that they drop those events. Prefect
 * also finds dead clients by pings.
 */
export function joinSockets({ client, upstream, secret, marks, pass, passed, deliver }: JoinedEnds): void {
  const toUpstream = createFlow(client.socket, upstream.socket, marks);
  const toClient = createFlow(upstream.socket, client.socket, marks);
  client.socket.on('pong', (data) => toUpstream({ kind: 'pong', data }));
  upstream.socket.on('pong', (data) => toClient({ kind: 'pong', data }));
  const isGone = client.socket.readyState === client.socket.CLOSED;
  const onClosed = (code: number, reason: string): void => {
    const end = (): void => endSide(upstream, closingFromClient(code, reason));
    // Stock clients send their last events and close at once, without a ping after them.
    if (passed === undefined) end();
    else within(passed(), LAST_FRAMES_MS).then(end, end);
  };
  client.socket.once('close', (code, reason) => onClosed(code, reason.toString()));
  upstream.socket.once('close', (code, reason) => endSide(client, closingFromUpstream(code, reason.toString(), secret)));
  upstream.inbox.pour((frame) => {
    if (frame.kind === 'ping' || deliver === undefined) toClient(frame);
    else deliver(frame, toClient);
  });
  client.inbox.pour((frame) => {
    if (!isGone && client.socket.readyState !== client.socket.OPEN) return;
    pass(frame, toUpstream);
  });
  if (isGone) onClosed(CLOSE.normal, '');
}
