// The picture of docs/explanation/imports.md, from the real imports of src and the rows of layers.ts: `npm run docs` writes it.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { ROOT_FILES, ROWS } from './layers.ts';

const SRC = join(REPOSITORY, 'src');
const IMPORT = /^(?:import|export)\b[^;]*?from '(\.[^']+)'/gm;
const BOX = { width: 108, height: 28, row: 74 } as const;
const WIDTH = 980;

/** From part to part, each once: `FROM TO`. Tests and fixtures may import what they like and are left out. */
export function importsOf(files: ReadonlyMap<string, string>): readonly Arrow[] {
  const found = [...files].flatMap(([file, text]) =>
    [...text.matchAll(IMPORT)].map(([, target = '']) => `${partOf(file)} ${partOf(join(dirname(file), target))}`),
  );
  const pairs = [...new Set(found)].sort().map((pair) => pair.split(' '));
  return pairs.flatMap(([from = '', to = '']) => (from === to || rowOf(from) < 0 || rowOf(to) < 0 ? [] : [[from, to] as const]));
}

/** Arrows that do not go down: none may be there. */
export function arrowsUp(arrows: readonly Arrow[]): readonly string[] {
  return arrows.flatMap(([from, to]) => (rowOf(from) > rowOf(to) ? [] : [`${from} imports ${to}`]));
}

function partOf(file: string): string {
  const [first = '', ...rest] = file.split('/');
  if (rest.length > 0) return first;
  return ROOT_FILES.includes(first) ? 'app' : '';
}

type Arrow = readonly [from: string, to: string];

/** Without the arrows that follow from others, so that the picture can be read: A to C, where A to B and B to C are there. */
export function reduced(arrows: readonly Arrow[]): readonly Arrow[] {
  const to = Map.groupBy(arrows, ([from]) => from);
  const reaches = (from: string, target: string): boolean => (to.get(from) ?? []).some(([, next]) => next === target || reaches(next, target));
  return arrows.filter(([from, target]) => !(to.get(from) ?? []).some(([, next]) => next !== target && reaches(next, target)));
}

const rowOf = (part: string): number => ROWS.findIndex((row) => row.includes(part));

export function sourceFiles(): ReadonlyMap<string, string> {
  const entries = readdirSync(SRC, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && /^(?!.*\.(?:test|fixture)\.ts$).*\.ts$/.test(entry.name),
  );
  const paths = entries.map((entry) => resolve(entry.parentPath, entry.name)).sort();
  return new Map(paths.map((path) => [relative(SRC, path), readFileSync(path, 'utf8')]));
}

export function renderImports(arrows: readonly Arrow[]): string {
  const height = ROWS.length * BOX.row + 20;
  const lines = arrows.map(([from, to]) => line(from, to)).join('\n');
  const boxes = ROWS.flatMap((row) => row.map(box)).join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="The parts of src in rows; every line of an import goes down">
<style>.box { fill: #eef4fb; stroke: #24405c } .line { stroke: #24405c; stroke-opacity: .55; fill: none } .name { fill: #16222e }</style>
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
${lines}
${boxes}
</svg>
`;
}

/** The highest row is at the top of the picture. */
function place(part: string): { readonly x: number; readonly y: number } {
  const index = rowOf(part);
  const row = ROWS[index] ?? [];
  // Rows of one part stand in turn left and right of the middle: lines behind a box cannot be seen.
  const aside = row.length > 1 ? 0 : (index % 2 === 0 ? -1 : 1) * BOX.width;
  const middle = ((row.indexOf(part) + 0.5) / row.length) * WIDTH + aside;
  return { x: Math.round(middle - BOX.width / 2), y: 10 + (ROWS.length - 1 - index) * BOX.row };
}

function line(from: string, to: string): string {
  const [start, end] = [place(from), place(to)];
  const [x1, y1, x2, y2] = [start.x + BOX.width / 2, start.y + BOX.height, end.x + BOX.width / 2, end.y];
  const bend = (y2 - y1) / 2;
  return `<path class="line" d="M${x1} ${y1} C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}"/>`;
}

function box(part: string): string {
  const { x, y } = place(part);
  return `<rect class="box" x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6"/><text class="name" x="${x + BOX.width / 2}" y="${y + 18}" text-anchor="middle">${part}</text>`;
}

if (import.meta.main) process.stdout.write(renderImports(reduced(importsOf(sourceFiles()))));
