// A unified patch as lines with their numbers, for display.

export interface PatchLine {
  readonly kind: 'add' | 'remove' | 'same' | 'hunk';
  readonly text: string;
  /** In the former and in the next text; null: the line is not in it. */
  readonly before: number | null;
  readonly after: number | null;
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/;

/** Leaves out the header with names: the page shows them. */
export function patchLines(patch: string): readonly PatchLine[] {
  const lines: PatchLine[] = [];
  let [before, after] = [0, 0];
  let isInHunk = false;
  for (const line of patch.split('\n')) {
    const hunk = HUNK.exec(line);
    if (hunk !== null) {
      [before, after, isInHunk] = [Number(hunk[1]), Number(hunk[2]), true];
      lines.push({ kind: 'hunk', text: line, before: null, after: null });
    } else if (isInHunk && line.startsWith('+')) lines.push({ kind: 'add', text: line.slice(1), before: null, after: after++ });
    else if (isInHunk && line.startsWith('-')) lines.push({ kind: 'remove', text: line.slice(1), before: before++, after: null });
    else if (isInHunk && line.startsWith(' ')) lines.push({ kind: 'same', text: line.slice(1), before: before++, after: after++ });
  }
  return lines;
}

export function countChanges(patch: string): { readonly added: number; readonly removed: number } {
  const lines = patchLines(patch);
  const count = (kind: PatchLine['kind']) => lines.filter((line) => line.kind === kind).length;
  return { added: count('add'), removed: count('remove') };
}
