// The axis of time: idle time takes little of it. A place is a number from 0 (the first row) to 1 (the last one).
import { scaleLinear } from 'd3-scale';
import type { Timed } from './row.ts';

/** A part of the axis. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Idle extends Span {
  /** Its places. */
  readonly start: number;
  readonly end: number;
}

export interface Axis {
  readonly from: number;
  readonly to: number;
  readonly idle: readonly Idle[];
  /** Milliseconds since 1970 -> place. Before and after the axis it goes on in the same measure. */
  placeOf(time: number): number;
  timeOf(place: number): number;
}

/** Each idle time takes this part of the axis. */
const IDLE_WIDTH = 0.035;
const MOST_IDLE = 12;
/** Shorter times are not collapsed, and none that takes less than this part of the axis. */
const LEAST_IDLE_MS = 2_000;
const LEAST_IDLE_PART = 0.12;

/** `rows` in the order of time. Without `collapse` every second is equally wide. */
export function createAxis(rows: readonly Timed[], { collapse, until }: { readonly collapse: boolean; readonly until?: number | undefined }): Axis {
  const [from, to] = extent(rows, until);
  const gaps = collapse ? idleTimes(rows, { from, to }) : [];
  const idleMs = gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0);
  const perMs = (1 - gaps.length * IDLE_WIDTH) / Math.max(1, to - from - idleMs);
  const times = [from];
  const places = [0];
  const idle: Idle[] = [];
  const go = (time: number, width: number): number => {
    const place = (places.at(-1) ?? 0) + width;
    times.push(time);
    places.push(place);
    return place;
  };
  for (const gap of gaps) {
    const start = go(gap.from, (gap.from - (times.at(-1) ?? from)) * perMs);
    idle.push({ ...gap, start, end: go(gap.to, IDLE_WIDTH) });
  }
  go(to, (to - (times.at(-1) ?? from)) * perMs);
  const scale = scaleLinear().domain(times).range(places);
  return { from, to, idle, placeOf: scale, timeOf: (place) => scale.invert(place) };
}

/** A run without any time still has an axis. */
function extent(rows: readonly Timed[], until: number | undefined): readonly [number, number] {
  const from = rows[0]?.from ?? 0;
  let to = Math.max(until ?? from, from);
  for (const row of rows) if (row.to > to) to = row.to;
  return [from, Math.max(to, from + 1)];
}

/** Times in which nothing begins or ends. What lasts over them does not count: a task of an hour is one bar with a break. */
function idleTimes(rows: readonly Timed[], { from, to }: Span): readonly Span[] {
  const moments = new Float64Array(rows.length * 2 + 2);
  rows.forEach((row, index) => {
    moments[index * 2] = row.from;
    moments[index * 2 + 1] = row.to;
  });
  moments[rows.length * 2] = from;
  moments[rows.length * 2 + 1] = to;
  moments.sort();
  const gaps: Span[] = [];
  for (let index = 1; index < moments.length; index += 1) {
    const [before = from, after = from] = [moments[index - 1], moments[index]];
    if (after - before > LEAST_IDLE_MS) gaps.push({ from: before, to: after });
  }
  return longest(gaps, to - from)
    .map(inner)
    .sort((a, b) => a.from - b.from);
}

/** Those that would take more than their part of the axis. Without the longest, the next one takes more of it. */
function longest(gaps: readonly Span[], wholeMs: number): readonly Span[] {
  const found: Span[] = [];
  let left = wholeMs;
  for (const gap of gaps.toSorted((a, b) => b.to - b.from - (a.to - a.from))) {
    const ms = gap.to - gap.from;
    if (found.length === MOST_IDLE || ms < left * LEAST_IDLE_PART) break;
    found.push(gap);
    left -= ms;
  }
  return found;
}

/** Leaves some room at both sides, so that what is beside an idle time does not touch it. */
function inner({ from, to }: Span): Span {
  const room = Math.min(500, (to - from) / 10);
  return { from: from + room, to: to - room };
}

/** The part of the axis that is shown: places. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export const WHOLE: Range = { start: 0, end: 1 };
const NARROWEST = 1e-6;

/** `around`: the place that stays where it is. */
export function zoomed({ start, end }: Range, factor: number, around: number): Range {
  const width = Math.min(1, Math.max(NARROWEST, (end - start) * factor));
  const share = end === start ? 0.5 : (around - start) / (end - start);
  return within(around - share * width, width);
}

/** `by`: parts of the shown width. */
export function panned({ start, end }: Range, by: number): Range {
  const width = end - start;
  return within(start + by * width, width);
}

function within(start: number, width: number): Range {
  const first = Math.max(0, Math.min(1 - width, start));
  return { start: first, end: first + width };
}

export function isWhole({ start, end }: Range): boolean {
  return start <= 1e-9 && end >= 1 - 1e-9;
}

export interface Tick {
  readonly time: number;
  /** 0 to 1 of what is shown. */
  readonly at: number;
}

const STEPS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 108e5, 216e5, 432e5, 864e5];
/** Round offsets from the start of the run, at least `apart` of the shown width from each other, and none in idle time. */
export function ticks(axis: Axis, range: Range, apart: number): readonly Tick[] {
  const step = stepOf(axis, range, apart);
  const found: Tick[] = [];
  for (const { from, to } of busy(axis, range)) {
    for (let index = Math.max(0, Math.ceil((from - axis.from) / step)); axis.from + index * step <= to; index += 1) {
      const time = axis.from + index * step;
      const at = (axis.placeOf(time) - range.start) / (range.end - range.start);
      if (at - (found.at(-1)?.at ?? -1) >= apart * 0.7) found.push({ time, at });
    }
  }
  return found;
}

/** The shown time without what is idle. */
function busy(axis: Axis, { start, end }: Range): readonly Span[] {
  const [from, to] = [axis.timeOf(start), axis.timeOf(end)];
  const edges = [from, ...axis.idle.flatMap((idle) => [idle.from, idle.to]), to];
  return Array.from({ length: edges.length / 2 }, (_, index): Span => {
    const [first = from, last = to] = edges.slice(index * 2, index * 2 + 2);
    return { from: Math.max(from, first), to: Math.min(to, last) };
  }).filter((span) => span.to > span.from);
}

function stepOf(axis: Axis, range: Range, apart: number): number {
  const ms = Math.max(
    1,
    busy(axis, range).reduce((sum, { from, to }) => sum + to - from, 0),
  );
  return STEPS_MS.find((step) => step >= ms * apart) ?? Math.ceil((ms * apart) / 864e5) * 864e5;
}
