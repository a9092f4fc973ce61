import { describe, expect, it } from 'vitest';
import { createAxis, panned, ticks, WHOLE, zoomed } from './axis.ts';
import { at, row, task, times } from './rows.fixture.ts';

describe('the axis', () => {
  const quiet = times(row(0), row(1), task(2, 7_200_000), row(3), row(7203), row(7204));

  it('gives idle time little room, and all other time the same measure', () => {
    const axis = createAxis(quiet, { collapse: true });
    expect(axis.idle).toHaveLength(1);
    const [{ start, end, from, to } = { start: 0, end: 0, from: 0, to: 0 }] = axis.idle;
    expect(end - start).toBeCloseTo(0.035);
    expect([from, to].map((time) => (time - at(0)) / 1000)).toEqual([3.5, 7201.5]);
    expect(axis.placeOf(at(1)) - axis.placeOf(at(0))).toBeCloseTo(axis.placeOf(at(7204)) - axis.placeOf(at(7203)));
    expect([axis.placeOf(at(0)), axis.placeOf(at(7204))]).toEqual([0, 1]);
  });

  it('shows every second equally wide when asked', () => {
    const axis = createAxis(quiet, { collapse: false });
    expect([axis.idle.length, axis.placeOf(at(3602))]).toEqual([0, 0.5]);
  });

  it('takes a place back to its time', () => {
    const axis = createAxis(quiet, { collapse: true });
    for (const seconds of [0, 2, 100, 7203]) expect(axis.timeOf(axis.placeOf(at(seconds)))).toBeCloseTo(at(seconds), -1);
  });

  it('has a length also for one row and for none', () => {
    for (const rows of [[], times(row(0))]) expect(createAxis(rows, { collapse: true })).toMatchObject({ idle: [] });
    expect(createAxis(times(row(0)), { collapse: true, until: at(60) }).placeOf(at(30))).toBeCloseTo(0.5);
  });
});

describe('zooming and panning', () => {
  it('leave the place under the pointer where it is', () => {
    const half = zoomed(WHOLE, 0.5, 0.25);
    expect(half).toEqual({ start: 0.125, end: 0.625 });
    expect(zoomed(half, 2, 0.25)).toEqual(WHOLE);
  });

  it('never leave the axis', () => {
    expect(zoomed(WHOLE, 4, 0.9)).toEqual(WHOLE);
    expect(panned({ start: 0.5, end: 0.9 }, 1)).toMatchObject({ end: 1 });
    expect(panned({ start: 0.5, end: 0.9 }, -9)).toMatchObject({ start: 0 });
    const { start, end } = zoomed(WHOLE, 0, 0.5);
    expect(end).toBeGreaterThan(start);
  });
});

describe('ticks', () => {
  it('are round, apart from each other, and not in idle time', () => {
    const seconds = [...Array(11).keys()];
    const busy = [...seconds, ...seconds.map((second) => 3610 + second)].map((second) => row(second));
    const axis = createAxis(times(...busy), { collapse: true });
    const found = ticks(axis, WHOLE, 0.1);
    expect(found.length).toBeGreaterThan(3);
    expect(found.every(({ time }) => (time - at(0)) % 1000 === 0)).toBe(true);
    const [{ start, end } = { start: 0, end: 0 }] = axis.idle;
    expect(found.some((tick) => tick.at > start && tick.at < end)).toBe(false);
    const gaps = found.slice(1).map((tick, index) => tick.at - (found[index]?.at ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(0.05);
  });

  it('are few on every scale', () => {
    for (const seconds of [0.02, 5, 3_000, 80_000, 9_000_000]) {
      const axis = createAxis(times(row(0), row(seconds)), { collapse: false });
      expect([...ticks(axis, WHOLE, 0.1)].length).toSatisfy((count: number) => count > 1 && count < 15);
    }
  });
});
