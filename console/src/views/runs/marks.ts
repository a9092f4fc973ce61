// Where the mark of a row stands in the shown part of the axis, in percent of its width.
import type { Axis, Range } from './axis.ts';
import type { Timed } from './row.ts';

export interface Mark {
  readonly left: number;
  /** 0: a moment. */
  readonly width: number;
  /** The row lies before or after what is shown. */
  readonly outside: 'before' | 'after' | null;
}

export function markOf(at: Timed, axis: Axis, range: Range): Mark {
  const [start, end] = [percent(axis.placeOf(at.from), range), percent(axis.placeOf(at.open ? Math.max(axis.to, at.to) : at.to), range)];
  if (end < 0) return { left: 0, width: 0, outside: 'before' };
  if (start > 100) return { left: 100, width: 0, outside: 'after' };
  const left = Math.max(-1, start);
  return { left, width: Math.min(101, end) - left, outside: null };
}

function percent(place: number, { start, end }: Range): number {
  return ((place - start) / (end - start)) * 100;
}

const CHARACTER = 6.5;
const APART = 9;

/** The words stand after the mark, or else before it, or else in it: where there is room. */
export function besideMark(
  { left, width }: Pick<Mark, 'left' | 'width'>,
  words: string,
  pixels: number,
): { readonly left: string } | { readonly right: string } {
  const needed = ((words.length * CHARACTER + 2 * APART) / Math.max(1, pixels)) * 100;
  if (left + width + needed <= 100) return { left: `calc(${left + width}% + ${APART}px)` };
  if (left >= needed) return { right: `calc(${100 - left}% + ${APART}px)` };
  return { left: `calc(${Math.max(0, left)}% + ${APART}px)` };
}

/** The rows of a lane in `width` pixels. `grave`: a tone as a number, the gravest highest. */
export function binsOf(
  rows: readonly Timed[],
  { axis, range, width }: { readonly axis: Axis; readonly range: Range; readonly width: number },
  grave: (at: Timed) => number,
) {
  const tones = new Uint8Array(width);
  const perPixel = width / (range.end - range.start);
  for (const at of rows) {
    const first = Math.floor((axis.placeOf(at.from) - range.start) * perPixel);
    const last = Math.floor((axis.placeOf(at.open ? axis.to : at.to) - range.start) * perPixel);
    const value = grave(at);
    for (let pixel = Math.max(0, first); pixel <= Math.min(width - 1, Math.max(last, first + 1)); pixel += 1) tones[pixel] = Math.max(tones[pixel] ?? 0, value);
  }
  return tones;
}
