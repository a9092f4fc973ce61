// Finds where the frames of a WebSocket begin and end in a stream of bytes (RFC 6455, 5.2). It does not read their contents.

export interface FrameEdges {
  /** The next bytes of one direction. */
  pass(bytes: Buffer): void;
  /** True between two frames, before a close frame: Lictor may insert its own frame here. */
  mayInsert(): boolean;
}

const CLOSE_OPCODE = 8;
/** FIN in the first byte of a frame, MASK in its second. */
const HIGH_BIT = 0x80;
const LONGEST_HEAD = 14;

export function createFrameEdges(): FrameEdges {
  const head = Buffer.alloc(LONGEST_HEAD);
  let headBytes = 0;
  let payloadLeft = 0;
  let closed = false;
  return {
    pass(bytes) {
      for (let at = 0; at < bytes.length; ) {
        const skipped = Math.min(payloadLeft, bytes.length - at);
        payloadLeft -= skipped;
        at += skipped;
        if (at === bytes.length) return;
        head[headBytes] = bytes[at] ?? 0;
        headBytes += 1;
        at += 1;
        if (headBytes < headLength(head, headBytes)) continue;
        closed ||= (head.readUInt8(0) & 0x0f) === CLOSE_OPCODE;
        payloadLeft = payloadLength(head);
        headBytes = 0;
      }
    },
    mayInsert: () => !closed && headBytes === 0 && payloadLeft === 0,
  };
}

/** A server's close frame: unmasked, at most 125 bytes with its code. `reason`: as `cutReason` gives it. */
export function renderClose(code: number, reason: string): Buffer {
  const text = Buffer.from(reason);
  const frame = Buffer.alloc(4 + text.length);
  frame.writeUInt8(HIGH_BIT | CLOSE_OPCODE, 0);
  frame.writeUInt8(2 + text.length, 1);
  frame.writeUInt16BE(code, 2);
  text.copy(frame, 4);
  return frame;
}

/** The length of the frame's head, as far as the known bytes determine it. */
function headLength(head: Buffer, known: number): number {
  if (known < 2) return 2;
  const second = head.readUInt8(1);
  const short = second & ~HIGH_BIT;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + ((second & HIGH_BIT) === 0 ? 0 : 4);
}

function payloadLength(head: Buffer): number {
  const short = head.readUInt8(1) & ~HIGH_BIT;
  if (short === 126) return head.readUInt16BE(2);
  return short === 127 ? Number(head.readBigUInt64BE(2)) : short;
}
