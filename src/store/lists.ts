// Lists of text in a column: JSON, checked when read.
import { parseColumn, textsOf } from './json-column.ts';

export function toColumn(list: readonly string[]): string {
  return JSON.stringify(list);
}

/** Throws `store-corrupt` when the column is no list of text: nothing may be decided on it. */
export function fromColumn(text: string): readonly string[] {
  return textsOf(parseColumn(text, 'list'), 'list');
}
