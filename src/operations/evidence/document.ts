// A report as a list of sections and blocks, for Markdown and HTML.
import type { Supports } from './controls.ts';

export type Tone = 'plain' | 'good' | 'warn' | 'bad';

export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'note'; readonly tone: Tone; readonly text: string }
  | { readonly kind: 'facts'; readonly rows: readonly (readonly [label: string, value: string])[] }
  | Table
  | { readonly kind: 'code'; readonly title: string; readonly text: string }
  | { readonly kind: 'days'; readonly days: readonly { readonly day: string; readonly allowed: number; readonly denied: number }[] };

export interface Table {
  readonly kind: 'table';
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Replaces a table without rows. */
  readonly empty: string;
  /** Columns of numbers. */
  readonly numbers?: readonly number[];
  /** Many narrow columns. */
  readonly dense?: boolean;
}

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly supports: Supports | null;
  /** What the section shows, and what it does not. */
  readonly lead: string;
  readonly blocks: readonly Block[];
}

export interface Tile {
  readonly label: string;
  readonly value: string;
  readonly detail: string;
  readonly tone: Tone;
}

export interface Document {
  readonly title: string;
  readonly subtitle: string;
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly tiles: readonly Tile[];
  readonly sections: readonly Section[];
}

/** A person does not read more rows. data.json has the rest. */
const MOST_ROWS = 400;

export function table(head: readonly string[], rows: readonly (readonly string[])[], more: Pick<Table, 'empty' | 'numbers' | 'dense'>): readonly Block[] {
  const first: Table = { kind: 'table', head, rows: rows.slice(0, MOST_ROWS), ...more };
  if (rows.length <= MOST_ROWS) return [first];
  return [first, { kind: 'note', tone: 'plain', text: `${count(rows.length - MOST_ROWS)} more rows are in data.json.` }];
}

export function note(tone: Tone, text: string): Block {
  return { kind: 'note', tone, text };
}

export function count(value: number): string {
  return value.toLocaleString('en');
}

/** `2026-03-01 12:00`, UTC. */
export function minute(time: string | null): string {
  return time === null ? '-' : time.slice(0, 16).replace('T', ' ');
}

export function day(time: string | null): string {
  return time === null ? '-' : time.slice(0, 10);
}

export function several(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
