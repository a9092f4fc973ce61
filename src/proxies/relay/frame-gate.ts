// The seam for rules about what a client says on an open socket.
import type { ReasonCode } from '../../contract/reasons.ts';

/** A frame that goes no further, while the socket stays. */
export interface Dropped {
  readonly code: ReasonCode;
  readonly detail: string;
  /** What the frame was about, for the record. */
  readonly subject: string | null;
}

export type FrameVerdict =
  /** `data` goes on: the frame itself, or what the gate made of it. */
  { readonly pass: true; readonly data: Buffer } | { readonly pass: false; readonly dropped: Dropped };

/** Called once for each text frame from the client, in order. Synchronous: order is what the protocol promises. */
export type FrameGate = (data: Buffer) => FrameVerdict;

export const passEveryFrame: FrameGate = (data) => ({ pass: true, data });
