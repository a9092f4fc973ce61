// The picture of docs/explanation/imports.md, from the real imports of src and the rows of layers.ts: `npm run docs` writes it.
import { partOf, ROWS, sourceImports } from './layers.ts';

const BOX = { width: 130, height: 32, row: 84 } as const;
const WIDTH = 640;
/** From the lowest. */
const FOLDERS: readonly string[] = [...new Set(ROWS.flat().map(folderOf))];

type Arrow = readonly [from: string, to: string];

/** From folder to folder, each once. */
export function arrowsOf(imports: ReturnType<typeof sourceImports>): readonly Arrow[] {
  const pairs = new Set(imports.map(({ file, target }) => `${folderOf(partOf(file))} ${folderOf(partOf(target))}`));
  return [...pairs].sort().flatMap((pair) => {
    const [from = '', to = ''] = pair.split(' ');
    return from === to || from === '' || to === '' ? [] : [[from, to] as const];
  });
}

function folderOf(part: string | undefined): string {
  return part?.split('/')[0] ?? '';
}

/** Without the arrows that follow from others, so that the picture can be read: A to C, where A to B and B to C are there. */
export function reduced(arrows: readonly Arrow[]): readonly Arrow[] {
  const to = Map.groupBy(arrows, ([from]) => from);
  const reaches = (from: string, target: string): boolean => (to.get(from) ?? []).some(([, next]) => next === target || reaches(next, target));
  return arrows.filter(([from, target]) => !(to.get(from) ?? []).some(([, next]) => next !== target && reaches(next, target)));
}

export function renderImports(arrows: readonly Arrow[]): string {
  const rows = rowsOf(arrows);
  const places = placesOf(rows);
  const height = rows.length * BOX.row;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="15" role="img" aria-label="The folders of src, bench and demo in rows; every line of an import goes down">
<style>.box { fill: #eef4fb; stroke: #24405c } .line { stroke: #24405c; stroke-opacity: .7; fill: none } .name { fill: #16222e }</style>
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
${arrows.map((arrow) => line(arrow, places)).join('\n')}
${[...places].map(box).join('\n')}
</svg>
`;
}

/** The highest row first: a folder is one row above the highest that it imports. */
function rowsOf(arrows: readonly Arrow[]): readonly (readonly string[])[] {
  const heights = new Map<string, number>();
  for (const folder of FOLDERS) {
    const below = arrows.flatMap(([from, to]) => (from === folder ? [heights.get(to) ?? 0] : []));
    heights.set(folder, below.length === 0 ? 0 : Math.max(...below) + 1);
  }
  const rows = Map.groupBy(FOLDERS, (folder) => heights.get(folder) ?? 0);
  return [...rows].sort(([a], [b]) => b - a).map(([, folders]) => folders);
}

type Place = { readonly x: number; readonly y: number };

function placesOf(rows: readonly (readonly string[])[]): ReadonlyMap<string, Place> {
  const placed = rows.flatMap((row, index) =>
    row.map((folder, at) => {
      // Rows of one folder stand in turn left and right of the middle: lines behind a box cannot be seen.
      const aside = row.length > 1 ? 0 : (index % 2 === 0 ? -1 : 1) * BOX.width * 0.8;
      const middle = ((at + 0.5) / row.length) * WIDTH + aside;
      return [folder, { x: Math.round(middle - BOX.width / 2), y: 20 + index * BOX.row }] as const;
    }),
  );
  return new Map(placed);
}

function line([from, to]: Arrow, places: ReadonlyMap<string, Place>): string {
  const [start, end] = [places.get(from), places.get(to)];
  if (start === undefined || end === undefined) return '';
  const [x1, y1, x2, y2] = [start.x + BOX.width / 2, start.y + BOX.height, end.x + BOX.width / 2, end.y];
  const bend = (y2 - y1) / 2;
  return `<path class="line" d="M${x1} ${y1} C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}"/>`;
}

function box([name, { x, y }]: readonly [string, Place]): string {
  return `<rect class="box" x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6"/><text class="name" x="${x + BOX.width / 2}" y="${y + 21}" text-anchor="middle">${name}</text>`;
}

if (import.meta.main) process.stdout.write(renderImports(reduced(arrowsOf(sourceImports()))));
