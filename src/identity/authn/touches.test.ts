// Last used and last seen: not in the way, not too often.
import { describe, expect, it } from 'vitest';
import { createTouches } from './touches.ts';

describe('touches', () => {
  it('write after the answer, one at a time for a key, and not soon after the last one', async () => {
    const touches = createTouches(() => expect.unreachable());
    const written: string[] = [];
    const touch = (key: string, lastMs: number | null) =>
      touches.touch({
        key,
        lastMs,
        nowMs: 100_000,
        write: async () => {
          written.push(key);
        },
      });
    touch('a', null);
    touch('a', null);
    touch('b', 40_000);
    touch('c', 40_001);
    expect(written).toEqual([]);
    await touches.idle();
    expect(written).toEqual(['a', 'b']);
    touch('a', null);
    await touches.idle();
    expect(written).toEqual(['a', 'b', 'a']);
  });

  it('report a failed write and continue', async () => {
    const errors: unknown[] = [];
    const touches = createTouches((error) => errors.push(error));
    touches.touch({ key: 'a', lastMs: null, nowMs: 0, write: () => Promise.reject(new Error('disk full')) });
    await touches.idle();
    expect(errors).toEqual([new Error('disk full')]);
  });
});
