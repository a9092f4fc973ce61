// The picture of README.md, from a real run: ./lictor demo --once | node test/runner/picture.ts > docs/timeline.svg
import { text } from 'node:stream/consumers';

const CHARACTER = 7.83;
const LINE = 18;
const MARGIN = 16;
const BAR = 30;

/** Requests that only read; the picture counts them. */
const READS = / (?:\d+x )?(?:[a-z_.]+\.read|system\.[a-z]+|logs\.write|events\.\w+) +\d{3} /;

/** The timeline in the output of `lictor demo`: from the name of the run to its last line. */
export function timelineOf(output: string): readonly string[] {
  const lines = output.split('\n');
  const start = lines.findIndex((line) => /^ {2}started by /.test(line)) - 1;
  const end = lines.findIndex((line) => /^\d+ entries/.test(line));
  if (start < 0 || end < start) throw new Error('there is no timeline in this output');
  const shown = lines.slice(start, end).filter((line) => !READS.test(line));
  const left = lines.slice(start, end).length - shown.length;
  return [...shown.join('\n').trimEnd().split('\n'), '', `${left} lines of reads, logs and probes are left out of this picture.`];
}

export function renderPicture(command: string, lines: readonly string[]): string {
  const rows = [`$ ${command}`, '', ...lines];
  const width = Math.ceil(Math.max(...rows.map((row) => row.length)) * CHARACTER) + 2 * MARGIN;
  const height = BAR + rows.length * LINE + MARGIN;
  const drawn = rows.map(
    (row, index) => `<text class="${kindOf(row, index)}" x="${MARGIN}" y="${BAR + (index + 1) * LINE}" xml:space="preserve">${escaped(row)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="The timeline of one flow run in a terminal: who started it, each request and each state">
<style>
text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #c8d3de }
.command, .run { fill: #ffffff; font-weight: 600 } .who { fill: #8fd6a0 } .state { fill: #8fb4d9 } .note { fill: #8794a2 }
</style>
<rect width="${width}" height="${height}" rx="8" fill="#16202b"/>
<circle cx="18" cy="16" r="5" fill="#e06c5a"/><circle cx="35" cy="16" r="5" fill="#d9b44a"/><circle cx="52" cy="16" r="5" fill="#6fbf73"/>
${drawn.join('\n')}
</svg>
`;
}

function kindOf(row: string, index: number): string {
  if (index === 0) return 'command';
  if (index === 2) return 'run';
  if (/^ +[+-][\d.:]+s? +[=.~>] /.test(row)) return 'state';
  if (/alice@local/.test(row)) return 'who';
  return /left out|^ +AFTER/.test(row) ? 'note' : 'line';
}

function escaped(row: string): string {
  return row.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

if (import.meta.main) {
  const lines = timelineOf(await text(process.stdin));
  process.stdout.write(renderPicture(`./lictor timeline ${lines[0]?.trim().split(/\s+/).at(-1) ?? ''}`, lines));
}
