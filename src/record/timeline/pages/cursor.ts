// The place of a reader in a timeline: the next page in time order, or what was written after the ledger was read.
import type { Marks } from '../../ledger/run-facts.ts';

export type Cursor =
  /** From this time on, without the first `skip` rows of it. `marks`: those of the first page, from which changes count. */
  { readonly kind: 'page'; readonly time: string; readonly skip: number; readonly marks: Marks } | { readonly kind: 'live'; readonly marks: Marks };

const FORM = /^(?:page,(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z),(\d{1,9})|live),(\d{1,15}),(\d{1,15})$/;

export function cursorText(cursor: Cursor): string {
  const marks = `${cursor.marks.record},${cursor.marks.event}`;
  return cursor.kind === 'live' ? `live,${marks}` : `page,${cursor.time},${cursor.skip},${marks}`;
}

export function parseCursor(text: string): Cursor | undefined {
  const found = FORM.exec(text);
  if (found === null) return undefined;
  const [, time, skip, record, event] = found;
  const marks = { record: Number(record), event: Number(event) };
  return time === undefined ? { kind: 'live', marks } : { kind: 'page', time, skip: Number(skip), marks };
}
