// Joins a client's socket with Prefect's: frames, pings and closes in order, and never more in memory than the marks allow.
import type { WebSocket } from 'ws';
import { CLOSE, closingFromClient, closingFromUpstream } from '../frames/close-codes.ts';
import { createFlow, endSide, type Outgoing } from '../frames/flow.ts';
import type { Frame, Inbox } from '../frames/inbox.ts';
import type { Dropped, FrameGate } from './frame-gate.ts';
import type { RelayLimits } from './limits.ts';
import type { UpstreamSocket } from './upstream-socket.ts';

export interface PipeEnds {
  readonly client: WebSocket;
  readonly clientInbox: Inbox;
  readonly upstream: UpstreamSocket;
  readonly gate: FrameGate;
  readonly onDropped: (dropped: Dropped) => void;
  readonly limits: RelayLimits;
}

/**
 * Pings travel from end to end: for stock clients a pong is the proof that Prefect has everything sent before it
 * (they forget events that were followed by one), and Prefect finds dead clients by them.
 */
export function joinPipe(ends: PipeEnds): void {
  const { client, upstream } = ends;
  const toUpstream = createFlow(client, upstream.socket, ends.limits);
  const toClient = createFlow(upstream.socket, client, ends.limits);
  client.on('pong', (data) => toUpstream({ kind: 'pong', data }));
  upstream.socket.on('pong', (data) => toClient({ kind: 'pong', data }));
  client.once('close', (code, reason) => endSide(upstream, closingFromClient(code, reason.toString())));
  upstream.socket.once('close', (code, reason) =>
    endSide({ socket: client, inbox: ends.clientInbox }, closingFromUpstream(code, reason.toString(), upstream.token)),
  );
  upstream.inbox.pour(toClient);
  ends.clientInbox.pour((frame) => pass(ends, frame, toUpstream));
}

function pass(ends: PipeEnds, frame: Frame, toUpstream: (frame: Outgoing) => void): void {
  if (ends.client.readyState !== ends.client.OPEN) return;
  if (frame.kind === 'ping') {
    toUpstream(frame);
    return;
  }
  // Prefect's protocols are text; what a gate cannot read must not pass it.
  if (frame.kind !== 'text') {
    ends.client.close(CLOSE.unsupported, 'text frames only');
    return;
  }
  const verdict = ends.gate(frame.data);
  if (verdict.pass) toUpstream({ kind: 'text', data: verdict.data });
  else ends.onDropped(verdict.dropped);
}
