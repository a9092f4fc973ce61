// Joins a client's socket with Prefect's: every text frame passes the gate.
import type { WebSocket } from 'ws';
import { CLOSE } from '../../prefect/frames/close-codes.ts';
import type { Frame, Inbox } from '../../prefect/frames/inbox.ts';
import { joinSockets } from '../../prefect/frames/join.ts';
import type { Dropped, FrameGate } from './frame-gate.ts';
import type { RelayLimits } from './limits.ts';
import type { Passage } from './passage.ts';
import type { UpstreamSocket } from './upstream-socket.ts';

export interface PipeEnds {
  readonly client: WebSocket;
  readonly clientInbox: Inbox;
  readonly upstream: UpstreamSocket;
  /** Before the gate. */
  readonly entrance: Passage;
  readonly gate: FrameGate;
  /** After the gate, on the way to Prefect. */
  readonly intake: Passage;
  /** From Prefect to the client. */
  readonly delivery: Passage;
  readonly onDropped: (dropped: Dropped) => void;
  /** True: nothing more goes to Prefect, also no earlier frames. */
  readonly isEnded: () => boolean;
  readonly limits: RelayLimits;
}

export function joinPipe({ client, clientInbox, upstream, entrance, gate, intake, delivery, onDropped, isEnded, limits }: PipeEnds): void {
  joinSockets({
    client: { socket: client, inbox: clientInbox },
    upstream,
    secret: upstream.token,
    marks: limits,
    pass: (frame, sendOn) => {
      const send = (outgoing: Frame): void => {
        if (!isEnded()) sendOn(outgoing);
      };
      if (frame.kind === 'ping') {
        // Clients treat the answer as a receipt for earlier frames.
        entrance.pass(frame, (entered) => intake.pass(entered, send));
        return;
      }
      // Prefect's protocols are text. A frame that a gate cannot parse must not pass it.
      if (frame.kind !== 'text') {
        client.close(CLOSE.unsupported, 'text frames only');
        return;
      }
      entrance.pass(frame, (entered) => {
        const verdict = gate(entered.data);
        if (verdict.pass) intake.pass({ kind: 'text', data: verdict.data }, send);
        else onDropped(verdict.dropped);
      });
    },
    passed: () => entrance.idle().then(intake.idle),
    deliver: delivery.pass,
  });
}
