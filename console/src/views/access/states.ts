// The states of a cell in signs and words, so that no state needs its colour, and which columns are shown.
import type { Tone } from '../../parts/tag.tsx';
import type { Matrix, State } from './data.ts';

export interface StateWords {
  readonly sign: string;
  readonly word: string;
  readonly tone: Tone;
}

export const STATES: Readonly<Record<State, StateWords>> = {
  allow: { sign: '✓', word: 'allowed', tone: 'good' },
  some: { sign: '◐', word: 'on some objects', tone: 'good' },
  approval: { sign: '◷', word: 'with approval', tone: 'warn' },
  argument: { sign: '?', word: 'by argument', tone: 'info' },
  deny: { sign: '·', word: 'denied', tone: 'plain' },
  unknown: { sign: '!', word: 'unknown', tone: 'bad' },
};

export const GROUPS: Readonly<Record<string, string>> = {
  steer: 'Start and steer runs',
  override: 'Change what a run executes',
  configure: 'Configuration',
  read: 'Read',
  secrets: 'Read secrets',
  machine: 'Workers and runs',
  services: 'Call services',
  admin: 'Administration',
  baseline: 'Everybody',
};

export interface ShownColumn {
  readonly action: string;
  readonly group: string;
  /** In the cells of a row. */
  readonly index: number;
}

/** In the order of the groups. `group` `all`: every group. `text`: part of the action's name. */
export function shownColumns(columns: Matrix['columns'], { group, text }: { readonly group: string; readonly text: string }): readonly ShownColumn[] {
  const wanted = text.trim().toLowerCase();
  const order = Object.keys(GROUPS);
  return columns
    .map((column, index) => ({ action: column.action, group: column.group as string, index }))
    .filter((column) => (group === 'all' || wanted !== '' || column.group === group) && column.action.includes(wanted))
    .sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group) || a.index - b.index);
}

/** A name that breaks after its dots and underscores, and not within a word. */
export function breakable(name: string): string {
  return name.replaceAll(/[._]/g, '$&\u200B');
}

export interface Span {
  readonly group: string;
  readonly count: number;
}

/** The heads above the columns. */
export function groupSpans(columns: readonly ShownColumn[]): readonly Span[] {
  return [...Map.groupBy(columns, ({ group }) => group)].map(([group, same]) => ({ group, count: same.length }));
}

/** The cell that an arrow key goes to; undefined: another key. */
export function cellAfter(key: string, at: { readonly row: number; readonly column: number }, size: { readonly rows: number; readonly columns: number }) {
  const steps: Readonly<Record<string, readonly [number, number]>> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  if (key === 'Home') return { row: at.row, column: 0 };
  if (key === 'End') return { row: at.row, column: size.columns - 1 };
  const step = steps[key];
  if (step === undefined) return undefined;
  const within = (value: number, count: number): number => Math.min(Math.max(value, 0), count - 1);
  return { row: within(at.row + step[0], size.rows), column: within(at.column + step[1], size.columns) };
}

/** `tags=team-a` is a scope, and `FlowRun:ID` an object. */
export function aboutOf(text: string): { readonly scope?: string; readonly resource?: string } {
  const about = text.trim();
  if (about === '') return {};
  return /^[a-z_]+=|^own$/.test(about) ? { scope: about } : { resource: about };
}
