import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { lanes } from './lanes.ts';
import { WholeLines } from './whole-lines.ts';

describe('lanes', () => {
  it('run so many at a time, in order, and a failure frees its lane', async () => {
    const inLane = lanes(2);
    const ends: (() => void)[] = [];
    const began: number[] = [];
    const work = (number: number) =>
      inLane(
        () =>
          new Promise<number>((resolve, reject) => {
            began.push(number);
            ends.push(() => (number === 0 ? reject(new Error('broken')) : resolve(number)));
          }),
      ).catch(() => -1);
    const all = [0, 1, 2, 3].map(work);
    expect(began).toEqual([0, 1]);
    ends[0]?.();
    expect(await all[0]).toBe(-1);
    expect(began).toEqual([0, 1, 2]);
    ends[1]?.();
    expect(await all[1]).toBe(1);
    expect(began).toEqual([0, 1, 2, 3]);
    ends[2]?.();
    ends[3]?.();
    expect(await Promise.all(all)).toEqual([-1, 1, 2, 3]);
    expect(await inLane(async () => 'free again')).toBe('free again');
  });
});

describe('lines of several programs on one stream', () => {
  it('are whole, as soon as they are; the last one also without its end', () => {
    const out = new PassThrough({ encoding: 'utf8' });
    const [one, two] = [new WholeLines(out), new WholeLines(out)];
    one.write('a1\na');
    two.write('b1\n');
    expect(out.read()).toBe('a1\nb1\n');
    one.write('2\n');
    two.write('b2');
    expect(out.read()).toBe('a2\n');
    two.end();
    expect(out.read()).toBe('b2\n');
  });
});
