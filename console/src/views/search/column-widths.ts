// The widths of the columns of records: as much room as their text needs, so that none is cut off beside an empty one.
import type { CSSProperties } from 'react';
import { actionOf, chainOf, type LedgerRecord, objectOf, reasonOf } from '../../parts/record-words.ts';

/** Characters: at least, so that later rows fit too, and at most. Of an id the first ones are enough. */
const BOUNDS = { who: [12, 24], what: [19, 34], on: [16, 28], why: [19, 34], from: [9, 16] } as const;

/** The part of the rows whose text fits. */
const USUAL = 0.9;

type Column = keyof typeof BOUNDS;
type Widths = CSSProperties & Readonly<Record<`--${Column}`, string>>;

/** Custom properties for the style sheet: a part of the free room for each column. */
export function columnWidths(records: readonly LedgerRecord[]): Widths {
  const width = (column: Column): string => {
    const [least, most] = BOUNDS[column];
    const lengths = records.map((record) => TEXTS[column](record).length).sort((a, b) => a - b);
    // A few long names do not take the room of all others.
    const usual = lengths[Math.ceil(lengths.length * USUAL) - 1] ?? 0;
    return `${Math.max(least, Math.min(most, usual))}fr`;
  };
  return { '--who': width('who'), '--what': width('what'), '--on': width('on'), '--why': width('why'), '--from': width('from') };
}

const TEXTS: Readonly<Record<Column, (record: LedgerRecord) => string>> = {
  who: (record) =>
    chainOf(record)
      .map(({ name, isProven }) => (isProven ? name : `${name} (claimed)`))
      .join(' for '),
  what: actionOf,
  on: (record) => {
    const object = objectOf(record);
    return object === undefined ? '' : `${object.kind} ${object.id}`;
  },
  why: reasonOf,
  from: ({ source_ip }) => source_ip ?? '',
};
