// One direction between two joined sockets: frames in order, bounded memory, and the end of one side told to the other.
import type { WebSocket } from 'ws';
import { brake, releaseBrake } from './brake.ts';
import type { Closing } from './close-codes.ts';
import type { Frame, Inbox } from './inbox.ts';

export type Outgoing = Frame | { readonly kind: 'pong'; readonly data: Buffer };

/** Unsent bytes at which the other side's reading stops, and at which it goes on. */
export interface WaterMarks {
  readonly highWaterBytes: number;
  readonly lowWaterBytes: number;
}

/** Sends to `target`; `source` is not read while too much is unsent. */
export function createFlow(source: WebSocket, target: WebSocket, marks: WaterMarks): (frame: Outgoing) => void {
  const flow = Symbol('flow');
  const sent = () => {
    if (target.bufferedAmount <= marks.lowWaterBytes) releaseBrake(source, flow);
  };
  return (frame) => {
    if (target.readyState !== target.OPEN) return;
    if (frame.kind === 'ping') target.ping(frame.data, undefined, sent);
    else if (frame.kind === 'pong') target.pong(frame.data, undefined, sent);
    else target.send(frame.data, { binary: frame.kind === 'binary' }, sent);
    if (target.bufferedAmount > marks.highWaterBytes) brake(source, flow);
  };
}

/** The other side has ended: say so behind what is still unsent, and read on so that the answer to it is seen. */
export function endSide(side: { readonly socket: WebSocket; readonly inbox: Inbox }, closing: Closing): void {
  side.inbox.discard();
  if (closing.code === undefined) side.socket.close();
  else side.socket.close(closing.code, closing.reason);
}
