// Joins a client's socket with the one behind it: frames, pings and closes in order, and never more in memory than the marks allow.
import type { WebSocket } from 'ws';
import { closingFromClient, closingFromUpstream } from './close-codes.ts';
import { within } from './first-frame.ts';
import { createFlow, endSide, type Outgoing, type WaterMarks } from './flow.ts';
import type { Frame, Inbox } from './inbox.ts';

export interface SocketEnd {
  readonly socket: WebSocket;
  readonly inbox: Inbox;
}

export interface JoinedEnds {
  readonly client: SocketEnd;
  readonly upstream: SocketEnd;
  /** What opened the upstream: kept out of close reasons. */
  readonly secret: string | null;
  readonly marks: WaterMarks;
  /** Each frame of the client, pings too; `send` is the way upstream. */
  readonly pass: (frame: Frame, send: (frame: Outgoing) => void) => void;
  /** Resolves when what `pass` was given has gone on. Left out: it always has. */
  readonly passed?: () => Promise<void>;
  /** Each text or binary frame of the upstream; `send` is the way to the client. Left out: all go on as they are. */
  readonly deliver?: (frame: Frame, send: (frame: Outgoing) => void) => void;
}

/** How long the last frames of a client that has closed may take to go on. */
const LAST_FRAMES_MS = 15_000;

/**
 * Pings travel from end to end: for stock clients a pong is the proof that Prefect has everything sent before it
 * (they forget events that were followed by one), and Prefect finds dead clients by them.
 */
export function joinSockets({ client, upstream, secret, marks, pass, passed, deliver }: JoinedEnds): void {
  const toUpstream = createFlow(client.socket, upstream.socket, marks);
  const toClient = createFlow(upstream.socket, client.socket, marks);
  client.socket.on('pong', (data) => toUpstream({ kind: 'pong', data }));
  upstream.socket.on('pong', (data) => toClient({ kind: 'pong', data }));
  client.socket.once('close', (code, reason) => {
    const end = (): void => endSide(upstream, closingFromClient(code, reason.toString()));
    // Stock clients say their last events and close at once, without a ping behind them.
    if (passed === undefined) end();
    else within(passed(), LAST_FRAMES_MS).then(end, end);
  });
  upstream.socket.once('close', (code, reason) => endSide(client, closingFromUpstream(code, reason.toString(), secret)));
  upstream.inbox.pour((frame) => {
    if (frame.kind === 'ping' || deliver === undefined) toClient(frame);
    else deliver(frame, toClient);
  });
  client.inbox.pour((frame) => {
    if (client.socket.readyState !== client.socket.OPEN) return;
    pass(frame, toUpstream);
  });
}
