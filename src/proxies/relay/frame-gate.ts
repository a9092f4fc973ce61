// The interface for rules about a client's frames on an open socket.
import type { ReasonCode } from '../../contract/reasons.ts';

/** A frame that is not forwarded, while the socket stays. */
export interface Dropped {
  readonly code: ReasonCode;
  readonly detail: string;
  /** What the frame was about, for the record. */
  readonly subject: string | null;
}

export type FrameVerdict =
  /** `data` is forwarded: the frame itself, or the gate's version of it. */
  { readonly pass: true; readonly data: Buffer } | { readonly pass: false; readonly dropped: Dropped };

/** Called once for each text frame from the client, in order. Synchronous, since the protocol promises the order. */
export type FrameGate = (data: Buffer) => FrameVerdict;

export const passEveryFrame: FrameGate = (data) => ({ pass: true, data });
