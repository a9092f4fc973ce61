// The rows of one timeline as they arrive: in pages, then as changes. A row with a known key replaces the earlier one.
import { type Row, type Timed, timed } from './row.ts';

export interface Rows {
  add(rows: readonly Row[]): void;
  /** In the order of time. The same array until a row arrives. */
  all(): readonly Timed[];
  get(key: string): Timed | undefined;
}

export function createRows(): Rows {
  const byKey = new Map<string, Timed>();
  let sorted: readonly Timed[] = [];
  let isSorted = true;
  return {
    add(rows) {
      for (const row of rows) byKey.set(row.key, timed(withMessage(row, byKey.get(row.key)?.row)));
      isSorted = isSorted && rows.length === 0;
    },
    all() {
      if (!isSorted) sorted = [...byKey.values()].filter(({ from }) => !Number.isNaN(from)).sort(inOrder);
      isSorted = true;
      return sorted;
    },
    get: (key) => byKey.get(key),
  };
}

/** A change has no message while Prefect does not answer. */
function withMessage(row: Row, before: Row | undefined): Row {
  return row.message === null && before?.message != null ? { ...row, message: before.message } : row;
}

/** As the gateway sorts: a request comes before the state that it caused, and the line of a nested run before the run. */
function inOrder(a: Timed, b: Timed): number {
  return a.from - b.from || a.row.depth - b.row.depth || Number(a.row.kind === 'state') - Number(b.row.kind === 'state');
}
