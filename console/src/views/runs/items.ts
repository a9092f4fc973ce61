// The rows of a timeline as the lines of the picture: lanes, folded routine, nested runs with lanes below them.
import { LANES, type Lane, type Row, type Timed } from './row.ts';

interface Line {
  readonly id: string;
  /** How deep it is indented. */
  readonly level: number;
}

export interface LaneLine extends Line {
  readonly type: 'lane';
  readonly lane: Lane;
  readonly rows: readonly Timed[];
  readonly open: boolean;
}

export interface RowLine extends Line {
  readonly type: 'row';
  readonly at: Timed;
  /** A nested run can be opened. Null: this row has nothing below it. */
  readonly open: boolean | null;
}

/** Requests that say the same, between two other rows. */
export interface FoldLine extends Line {
  readonly type: 'fold';
  readonly rows: readonly Timed[];
}

export type Item = LaneLine | RowLine | FoldLine;

export interface Shape {
  /** Ids of lanes and nested runs that a person opened or closed: the other way round than at first. */
  readonly turned: ReadonlySet<string>;
  /** Routine requests have a line each. */
  readonly routine: boolean;
}

/** Lanes of runs that are not opened stay closed. */
const CLOSED: readonly Lane[] = ['request', 'event', 'gateway'];

/** `rows` in the order of time. */
export function itemsOf(rows: readonly Timed[], run: string, shape: Shape): readonly Item[] {
  const byRun = Map.groupBy(rows, ({ row }) => row.flow_run_id);
  return lanesOf(run, 0, { byRun, shape, above: new Set() });
}

interface Place {
  readonly byRun: ReadonlyMap<string, readonly Timed[]>;
  readonly shape: Shape;
  /** Runs that are being listed: a cycle ends here. */
  readonly above: ReadonlySet<string>;
}

function lanesOf(run: string, level: number, place: Place): readonly Item[] {
  if (place.above.has(run)) return [];
  const byLane = Map.groupBy(place.byRun.get(run) ?? [], ({ row }) => row.lane);
  const below = { ...place, above: new Set([...place.above, run]) };
  return LANES.flatMap((lane) => {
    const rows = byLane.get(lane);
    return rows === undefined ? [] : laneItems({ run, lane, rows, level }, below);
  });
}

interface LaneOf {
  readonly run: string;
  readonly lane: Lane;
  readonly rows: readonly Timed[];
  readonly level: number;
}

function laneItems({ run, lane, rows, level }: LaneOf, place: Place): readonly Item[] {
  const id = `${run}/${lane}`;
  const open = isOpen(id, !CLOSED.includes(lane) || rows.some(({ row }) => !row.routine && lane === 'request'), place.shape);
  const head: LaneLine = { type: 'lane', id, level, lane, rows, open };
  if (!open) return [head];
  const own = place.shape.routine ? rows.map((at) => rowLine(at, level + 1)) : folded(rows, level + 1);
  return [head, ...own.flatMap((item) => (item.type === 'row' && item.at.row.kind === 'run' ? nested(item, place) : [item]))];
}

function nested(item: RowLine, place: Place): readonly Item[] {
  const child = item.at.row.object_id;
  if (child === null || !place.byRun.has(child)) return [item];
  const open = isOpen(`run:${child}`, false, place.shape);
  return [{ ...item, open }, ...(open ? lanesOf(child, item.level + 1, place) : [])];
}

function isOpen(id: string, first: boolean, { turned }: Shape): boolean {
  return turned.has(id) ? !first : first;
}

function rowLine(at: Timed, level: number): RowLine {
  return { type: 'row', id: at.row.key, level, at, open: null };
}

/** Routine rows that say the same are one line, up to the next row that is not routine. */
function folded(rows: readonly Timed[], level: number): readonly (RowLine | FoldLine)[] {
  const groups: Timed[][] = [];
  let open = new Map<string, Timed[]>();
  for (const at of rows) {
    const key = sayingOf(at.row);
    const group = at.row.routine ? open.get(key) : undefined;
    if (group !== undefined) {
      group.push(at);
      continue;
    }
    const made = [at];
    groups.push(made);
    if (at.row.routine) open.set(key, made);
    else open = new Map();
  }
  return groups.flatMap((group) => lineOf(group, level));
}

function lineOf(group: readonly Timed[], level: number): readonly (RowLine | FoldLine)[] {
  const [first] = group;
  if (first === undefined) return [];
  return [group.length === 1 ? rowLine(first, level) : { type: 'fold', id: `fold:${first.row.key}`, level, rows: group }];
}

function sayingOf({ principal, what, status, binding }: Row): string {
  return JSON.stringify([principal, what, status, binding]);
}

/** Rows with this text in what they say. Empty: all. */
export function matching(rows: readonly Timed[], text: string): readonly Timed[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return words.length === 0 ? rows : rows.filter(({ row }) => words.every((word) => textOf(row).includes(word)));
}

function textOf({ principal, on_behalf_of, what, state, reason, decision, status, message, object_id }: Row): string {
  return [principal, ...on_behalf_of, what, state, reason, decision, status, message, object_id].join('\n').toLowerCase();
}
