// Flow control between two joined sockets: frames in order, bounded memory, and the end of one side sent to the other.
import type { WebSocket } from 'ws';
import type { Closing } from './close-codes.ts';
import type { Frame, Inbox } from './inbox.ts';

interface Source {
  pause(): void;
  resume(): void;
}

/** Several parts may pause the same socket, each for its own reason. Reading continues when no reason is left. */
const pausedFor = new WeakMap<Source, Set<symbol>>();

/** Pauses the socket again when repeated, even if something else has resumed it. */
export function pauseReading(source: Source, reason: symbol): void {
  const reasons = pausedFor.get(source) ?? new Set();
  pausedFor.set(source, reasons.add(reason));
  source.pause();
}

/** Does nothing unless the socket is paused for this reason. */
export function resumeReading(source: Source, reason: symbol): void {
  const reasons = pausedFor.get(source);
  if (reasons?.delete(reason) === true && reasons.size === 0) source.resume();
}

export type Outgoing = Frame | { readonly kind: 'pong'; readonly data: Buffer };

/** The unsent bytes at which Lictor pauses and resumes reading from the other side. */
export interface WaterMarks {
  readonly highWaterBytes: number;
  readonly lowWaterBytes: number;
}

/** Sends to `target`, and pauses `source` while too many bytes are unsent. */
export function createFlow(source: WebSocket, target: WebSocket, marks: WaterMarks): (frame: Outgoing) => void {
  const flow = Symbol('flow');
  const sent = () => {
    if (target.bufferedAmount <= marks.lowWaterBytes) resumeReading(source, flow);
  };
  return (frame) => {
    if (target.readyState !== target.OPEN) return;
    if (frame.kind === 'ping') target.ping(frame.data, undefined, sent);
    else if (frame.kind === 'pong') target.pong(frame.data, undefined, sent);
    else target.send(frame.data, { binary: frame.kind === 'binary' }, sent);
    if (target.bufferedAmount > marks.highWaterBytes) pauseReading(source, flow);
  };
}

/** Closes this side after the other has ended, after all unsent frames. Reading continues, so that Lictor sees the answer to the close. */
export function endSide(side: { readonly socket: WebSocket; readonly inbox: Inbox }, closing: Closing): void {
  side.inbox.discard();
  if (closing.code === undefined) side.socket.close();
  else side.socket.close(closing.code, closing.reason);
}
