// Tables fit the terminal without a loss of text. A pipe gets full widths.
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { fitWidths, renderTable, terminalWidth } from './table.ts';

const ROWS = [
  ['NAME', 'SCOPE', 'FROM'],
  ['etl-worker', 'tags=team-a,team-b work_pools=pool-a deployments=etl/*,nightly/*', '10.0.0.0/8,192.0.2.0/24'],
  ['ci', 'everything', 'anywhere'],
];

function terminal(env: Record<string, string> = {}, tty?: { readonly columns?: number }) {
  return { out: Object.assign(new PassThrough(), tty === undefined ? {} : { isTTY: true, ...tty }), env };
}

function longest(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length));
}

describe('a table', () => {
  it('fits COLUMNS, else the terminal, else 80; a pipe gets it whole', () => {
    expect(terminalWidth(terminal({ COLUMNS: '100' }, { columns: 60 }))).toBe(100);
    expect(terminalWidth(terminal({}, { columns: 60 }))).toBe(60);
    expect(terminalWidth(terminal({}, {}))).toBe(80);
    for (const columns of ['0', '-5', 'x', '1.5']) expect(terminalWidth(terminal({ COLUMNS: columns }))).toBeUndefined();
  });

  it.each([40, 60, 80])('has no line over %i characters, and wraps without losing any', (columns) => {
    const text = renderTable(ROWS, terminal({ COLUMNS: String(columns) }));
    expect(longest(text)).toBeLessThanOrEqual(columns);
    const letters = (of: string) => [...of.replace(/\s/g, '')].sort().join('');
    expect(letters(text)).toBe(letters(ROWS.flat().join('')));
  });

  it('is one line a row where nobody looks at a terminal, and where it fits', () => {
    expect(renderTable(ROWS, terminal()).trimEnd().split('\n')).toHaveLength(3);
    expect(
      renderTable(ROWS, terminal({ COLUMNS: '120' }))
        .trimEnd()
        .split('\n'),
    ).toHaveLength(3);
    expect(longest(renderTable(ROWS, terminal()))).toBeGreaterThan(80);
  });

  it('narrows the widest column first, and none below what can be read', () => {
    expect(fitWidths([10, 64, 23], 57)).toEqual([10, 24, 23]);
    expect(fitWidths([10, 20], 4)).toEqual([6, 6]);
  });

  it('shows no control character of a name', () => {
    expect(renderTable([['NAME'], ['a\u001b[2Jb']], terminal())).not.toContain('\u001b');
  });
});
