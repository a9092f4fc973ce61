// The lines of a timeline: only those in sight exist in the page. One keyboard for the picture and the table.
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useRef, useState } from 'react';
import { GridBox, Line } from './cell.tsx';
import styles from './chart.module.css';
import { moveTo } from './keys.ts';

interface LinesProps<L extends { readonly id: string }> {
  readonly lines: readonly L[];
  readonly label: string;
  readonly height: number;
  /** Above the lines, while they scroll. */
  readonly head: ReactNode;
  readonly headHeight: number;
  /** Behind the lines. It does not scroll. */
  readonly behind?: ReactNode;
  /** The line of this id is brought into sight once. */
  readonly selected: string;
  readonly kind: 'treegrid' | 'grid';
  readonly columns?: number;
  readonly render: (line: L, active: boolean) => ReactNode;
  readonly rowProps: (line: L) => { readonly level?: number; readonly expanded?: boolean | undefined; readonly selected: boolean };
  readonly onOpen: (line: L) => void;
  readonly onTurn?: (line: L, open: boolean) => void;
  readonly onKey: (event: KeyboardEvent) => void;
  readonly scroller: RefObject<HTMLDivElement | null>;
}

const PAGE_LINES = 15;
/** More lines than are ever in sight: while one scrolls, elements are filled again instead of made. */
const POOL = 256;

export function Lines<L extends { readonly id: string }>(props: LinesProps<L>) {
  const { lines, height, headHeight, scroller, selected } = props;
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 8,
    scrollMargin: headHeight,
    scrollPaddingStart: headHeight,
  });
  const [active, setActive] = useActive(lines, selected, (index) => virtual.scrollToIndex(index, { align: 'auto' }));
  const onKeyDown = (event: KeyboardEvent): void => {
    const line = lines[active];
    const next = moveTo(event.key, active, { count: lines.length, page: PAGE_LINES });
    if (next !== null && !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey) setActive(next);
    else if (line !== undefined && (event.key === 'Enter' || event.key === ' ')) props.onOpen(line);
    else if (line !== undefined && isTurn(event)) props.onTurn?.(line, event.key === 'ArrowRight');
    else {
      props.onKey(event);
      return;
    }
    event.preventDefault();
  };
  return (
    <div className={styles['frame']}>
      {props.behind}
      <GridBox
        ref={scroller}
        className={styles['scroller']}
        kind={props.kind}
        aria-label={props.label}
        aria-rowcount={lines.length}
        aria-colcount={props.columns}
        aria-activedescendant={lines[active] === undefined ? undefined : rowId(active)}
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        {props.head}
        <div className={styles['lines']} role="presentation" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const line = lines[index];
            if (line === undefined) return null;
            const { level, expanded, selected: isSelected } = props.rowProps(line);
            return (
              <Line
                key={index % POOL}
                id={rowId(index)}
                className={styles['line']}
                aria-rowindex={index + 1}
                aria-level={level}
                aria-expanded={expanded}
                aria-selected={isSelected}
                data-active={index === active}
                style={{ height, transform: `translateY(${start - headHeight}px)` }}
                onClick={() => {
                  setActive(index);
                  props.onOpen(line);
                }}
              >
                {props.render(line, index === active)}
              </Line>
            );
          })}
        </div>
      </GridBox>
    </div>
  );
}

function isTurn({ key, shiftKey }: KeyboardEvent): boolean {
  return (key === 'ArrowRight' || key === 'ArrowLeft') && !shiftKey;
}

function rowId(index: number): string {
  return `line-${index}`;
}

/** The line that the keys act on: it stays the same one while lines arrive above it. */
function useActive(lines: readonly { readonly id: string }[], selected: string, show: (index: number) => void): readonly [number, (index: number) => void] {
  const [id, setId] = useState(selected);
  const index = Math.max(
    0,
    lines.findIndex((line) => line.id === id),
  );
  const isShown = useRef(selected === '');
  useEffect(() => {
    if (isShown.current || lines[index]?.id !== selected) return;
    isShown.current = true;
    show(index);
  });
  const set = (next: number): void => {
    setId(lines[next]?.id ?? '');
    show(next);
  };
  return [index, set];
}
