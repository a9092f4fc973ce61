// The seam for rules about what a client says on an open socket (event authority comes with its own part).

export type FrameVerdict =
  /** `data` goes on: the frame itself, or what the gate made of it. */
  { readonly pass: true; readonly data: Buffer } | { readonly pass: false; readonly closeCode: number; readonly reason: string };

/** Called once for each text frame from the client, in order. Synchronous: order is what the protocol promises. */
export type FrameGate = (data: Buffer) => FrameVerdict;

export const passEveryFrame: FrameGate = (data) => ({ pass: true, data });
