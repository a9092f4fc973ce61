// Tables for the terminal: aligned columns that fit its width. Without a terminal and COLUMNS, no width limits them.
import type { CliContext } from './context.ts';
import { type Paint, painter, printable } from './text.ts';

export type Terminal = Pick<CliContext, 'out' | 'env'>;

const GAP = 2;
const NARROWEST = 6;
const LONGEST = 120;
/** A narrower terminal omits the least important column. */
export const WIDE = 100;

/** Characters in a line: COLUMNS, else the width of the terminal. Undefined: the output is no terminal. */
export function terminalWidth({ out, env }: Terminal): number | undefined {
  const given = Number(env['COLUMNS']);
  if (Number.isInteger(given) && given > 0) return given;
  if (!('isTTY' in out) || out.isTTY !== true) return undefined;
  return 'columns' in out && typeof out.columns === 'number' && out.columns > 0 ? out.columns : 80;
}

/** The width of lines outside tables: that of the terminal, at most 120 characters. */
export function lineWidth(terminal: Terminal): number {
  return Math.min(terminalWidth(terminal) ?? LONGEST, LONGEST);
}

/** Colours and width of text for people. */
export interface Look {
  readonly paint: Paint;
  /** The most characters in a line. */
  readonly width: number;
}

export function lookOf(terminal: Terminal): Look {
  return { paint: painter(terminal.out, terminal.env), width: lineWidth(terminal) };
}

/** Two spaces between columns. If the lines are too long, the widest columns wrap. */
export function renderTable(rows: readonly (readonly string[])[], terminal: Terminal): string {
  const safe = rows.map((row) => row.map(printable));
  const widths = columnWidths(safe, terminalWidth(terminal));
  return safe.flatMap((row) => rowLines(row, widths).map((line) => `${line}\n`)).join('');
}

/** The widths of the columns, reduced if a line would be longer than `most`. */
export function columnWidths(rows: readonly (readonly string[])[], most: number | undefined): readonly number[] {
  const whole = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return most === undefined ? whole : fitWidths(whole, most - GAP * (whole.length - 1));
}

/** Reduces the widest column until all fit, or until all have the least readable width. */
export function fitWidths(widths: readonly number[], room: number): readonly number[] {
  const fitted = [...widths];
  let over = fitted.reduce((sum, width) => sum + width, 0) - room;
  for (; over > 0; over -= 1) {
    const widest = fitted.indexOf(Math.max(...fitted));
    const width = fitted[widest] ?? 0;
    if (width <= NARROWEST) break;
    fitted[widest] = width - 1;
  }
  return fitted;
}

/** Cells that are too long wrap within their column. */
export function rowLines(row: readonly string[], widths: readonly number[]): readonly string[] {
  const cells = row.map((text, column) => wrapCell(text, widths[column] ?? 0));
  const height = Math.max(1, ...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_none, line) =>
    cells
      .map((lines, column) => (lines[line] ?? '').padEnd(widths[column] ?? 0))
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
}

/** Breaks after a space or a comma if there is one, else within the word. */
export function wrapCell(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width && width > 0) {
    const head = rest.slice(0, width + 1);
    const at = Math.max(head.lastIndexOf(' '), head.slice(0, width).lastIndexOf(',') + 1);
    const cut = at > 0 ? at : width;
    lines.push(rest.slice(0, cut).trimEnd());
    rest = rest.slice(cut).trimStart();
  }
  return [...lines, rest];
}

/** At most `width` characters in a line. A longer word stays whole. */
export function wrapWords(text: string, width: number): readonly string[] {
  const rows: string[] = [];
  let row = '';
  for (const word of text.split(' ')) {
    if (row !== '' && row.length + 1 + word.length > width) {
      rows.push(row);
      row = word;
    } else row = row === '' ? word : `${row} ${word}`;
  }
  return [...rows, row];
}
