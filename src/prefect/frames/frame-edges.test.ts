import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFrameEdges, renderClose } from './frame-edges.ts';

function frame(payload: number, { opcode = 2, masked = false } = {}): Buffer {
  const mask = masked ? 0x80 : 0;
  const length = payload < 126 ? Buffer.from([mask | payload]) : payload < 65_536 ? Buffer.alloc(3) : Buffer.alloc(9);
  if (length.length === 3) length.writeUInt8(mask | 126) && length.writeUInt16BE(payload, 1);
  if (length.length === 9) length.writeUInt8(mask | 127) && length.writeBigUInt64BE(BigInt(payload), 1);
  return Buffer.concat([Buffer.from([0x80 | opcode]), length, Buffer.alloc(masked ? 4 : 0), Buffer.alloc(payload, 0x88)]);
}

describe('the edges of frames', () => {
  it('are where whole frames end, however the bytes are cut', () => {
    const length = fc.oneof(fc.nat(200), fc.constantFrom(125, 126, 127, 65_535, 65_536));
    fc.assert(
      fc.property(fc.array(fc.tuple(length, fc.boolean()), { maxLength: 6 }), fc.array(fc.nat(300), { maxLength: 40 }), (frames, cuts) => {
        const parts = frames.map(([payload, masked]) => frame(payload, { masked }));
        const bytes = Buffer.concat(parts);
        const ends = new Set(parts.map((_part, index) => parts.slice(0, index + 1).reduce((sum, part) => sum + part.length, 0)).concat(0));
        const edges = createFrameEdges();
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          edges.pass(bytes.subarray(at, at + cut));
          at = Math.min(bytes.length, at + cut);
          expect(edges.mayInsert()).toBe(ends.has(at));
        }
      }),
    );
  });

  it('are over after a close frame, and not after what only looks like one inside another', () => {
    const edges = createFrameEdges();
    edges.pass(frame(300));
    expect(edges.mayInsert()).toBe(true);
    edges.pass(renderClose(1000, ''));
    expect(edges.mayInsert()).toBe(false);
  });
});

describe('a close frame', () => {
  it('is whole, unmasked, with code and reason', () => {
    expect([...renderClose(1008, 'no')]).toEqual([0x88, 4, 0x03, 0xf0, 0x6e, 0x6f]);
    expect(renderClose(1001, 'x'.repeat(123))).toHaveLength(127);
  });
});
