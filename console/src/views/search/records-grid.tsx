import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { LedgerRecord } from '../../parts/record-words.ts';
import { columnWidths } from './column-widths.ts';
import { RecordRow } from './record-row.tsx';
import './records.css';

interface RecordsGridProps {
  readonly records: readonly LedgerRecord[];
  readonly selected: string | undefined;
  readonly onSelect: (id: string) => void;
  /** Near the end of the rows. */
  readonly onEnd: () => void;
  /** Below the last row. */
  readonly children: ReactNode;
}

const WIDE = 34;
const NARROW = 76;
const COLUMNS = ['Time (UTC)', 'Who', 'Decision', 'Action', 'Object', 'Reason', 'From'];

/** Only the visible rows exist. Up and Down move, Enter opens. New rows above do not move the ones that a person reads. */
export function RecordsGrid({ records, selected, onSelect, onEnd, children }: RecordsGridProps) {
  const frame = useRef<HTMLDivElement>(null);
  const height = useRowHeight();
  // Later rows do not move the columns.
  const [widths] = useState(() => columnWidths(records));
  const virtual = useVirtualizer({ count: records.length, getScrollElement: () => frame.current, estimateSize: () => height, overscan: 12 });
  useEffect(() => {
    if (height > 0) virtual.measure();
  }, [virtual, height]);
  useStablePlace(frame, records, height);
  const rows = virtual.getVirtualItems();
  const isAtEnd = (rows.at(-1)?.index ?? 0) >= records.length - 20;
  useEffect(() => {
    if (isAtEnd && records.length > 0) onEnd();
  }, [isAtEnd, records.length, onEnd]);
  const [active, setActive] = useState<string>();
  const at = records.findIndex(({ id }) => id === active);
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && at >= 0 && active !== undefined) return onSelect(active);
    const to = placeFor(event.key, at, { last: records.length - 1, page: Math.floor((frame.current?.clientHeight ?? 0) / height) - 2 });
    if (to === undefined) return;
    event.preventDefault();
    setActive(records[to]?.id);
    virtual.scrollToIndex(to);
  };
  return (
    <div className="records" ref={frame} style={widths}>
      <table
        // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: in a grid the keyboard moves from row to row
        role="grid"
        aria-label="Records"
        aria-rowcount={records.length + 1}
        tabIndex={0}
        onKeyDown={onKey}
        aria-activedescendant={at < 0 ? undefined : rowId(active)}
      >
        <thead>
          <tr className="record-row head" aria-rowindex={1}>
            {COLUMNS.map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody style={{ height: virtual.getTotalSize() }}>
          {rows.map(({ index, start }) => {
            const record = records[index];
            if (record === undefined) return null;
            const { id } = record;
            return (
              <RecordRow key={id} {...{ record, index, start }} id={rowId(id)} isActive={id === active} isSelected={id === selected} onOpen={() => open(id)} />
            );
          })}
        </tbody>
      </table>
      {children}
    </div>
  );

  function open(id: string): void {
    setActive(id);
    onSelect(id);
  }
}

function rowId(id: string | undefined): string {
  return `record-${id}`;
}

function placeFor(key: string, at: number, { last, page }: { readonly last: number; readonly page: number }): number | undefined {
  const moves: Readonly<Record<string, number>> = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: last };
  const to = moves[key];
  return to === undefined || last < 0 ? undefined : Math.min(Math.max(to, 0), last);
}

/** A row has two lines on a small screen. */
function useRowHeight(): number {
  const [isNarrow, setNarrow] = useState(() => matchMedia('(width < 48rem)').matches);
  useEffect(() => {
    const media = matchMedia('(width < 48rem)');
    const onChange = () => setNarrow(media.matches);
    media.addEventListener('change', onChange);
    return () => media.removeEventListener('change', onChange);
  }, []);
  return isNarrow ? NARROW : WIDE;
}

/** Rows that arrive above push the others down: scroll by as much, unless the top is shown. */
function useStablePlace(frame: { readonly current: HTMLDivElement | null }, records: readonly LedgerRecord[], height: number): void {
  const first = useRef(records[0]?.id);
  useLayoutEffect(() => {
    const added = records.findIndex(({ id }) => id === first.current);
    first.current = records[0]?.id;
    const element = frame.current;
    if (added > 0 && element !== null && element.scrollTop > 0) element.scrollTop += added * height;
  }, [frame, records, height]);
}
