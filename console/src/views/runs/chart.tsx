// The picture of a run: lanes on one axis of time.
import { type KeyboardEvent, type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import { type Axis, panned, type Range, zoomed } from './axis.ts';
import { AxisHead, Grid } from './axis-head.tsx';
import { ChartLine } from './chart-line.tsx';
import { type Item, itemsOf } from './items.ts';
import { Lines } from './lines.tsx';
import type { Look } from './look.ts';
import type { Timed } from './row.ts';

interface ChartProps {
  readonly run: string;
  readonly rows: readonly Timed[];
  readonly axis: Axis;
  readonly range: Range;
  readonly look: Look;
  readonly narrow: boolean;
  readonly onRange: (range: Range) => void;
  readonly onOpen: (key: string) => void;
  readonly onTurn: (id: string) => void;
  readonly onKey: (event: KeyboardEvent) => void;
  readonly scroller: RefObject<HTMLDivElement | null>;
}

export const HEAD_HEIGHT = 40;

export function Chart({ run, rows, axis, range, look, narrow, onRange, onOpen, onTurn, onKey, scroller }: ChartProps) {
  const items = useMemo(() => itemsOf(rows, run, look.shape), [rows, run, look.shape]);
  const track = useRef<HTMLDivElement>(null);
  const width = useWidth(track);
  useWheel(scroller, track, { range, onRange });
  return (
    <Lines
      lines={items}
      label="Timeline"
      kind="treegrid"
      height={narrow ? 46 : 28}
      headHeight={HEAD_HEIGHT}
      selected={look.selected}
      scroller={scroller}
      head={<AxisHead axis={axis} range={range} track={track} width={width} onRange={onRange} />}
      render={(item) => <ChartLine item={item} axis={axis} range={range} width={width} />}
      rowProps={(item) => ({ level: item.level + 1, expanded: expandedOf(item), selected: item.id === look.selected })}
      onOpen={(item) => open(item, { onOpen, onTurn })}
      onTurn={(item, wanted) => {
        const expanded = expandedOf(item);
        if (expanded !== undefined && expanded !== wanted) onTurn(turnId(item));
      }}
      onKey={onKey}
      behind={<Grid axis={axis} range={range} width={width} />}
    />
  );
}

function open(item: Item, { onOpen, onTurn }: Pick<ChartProps, 'onOpen' | 'onTurn'>): void {
  if (item.type === 'lane') onTurn(item.id);
  else if (item.type === 'row') onOpen(item.id);
  else onOpen(item.rows[0]?.row.key ?? '');
}

function expandedOf(item: Item): boolean | undefined {
  if (item.type === 'fold') return undefined;
  return item.open ?? undefined;
}

function turnId(item: Item): string {
  return item.type === 'row' ? `run:${item.at.row.object_id}` : item.id;
}

/** The width of the track in pixels. */
function useWidth(track: RefObject<HTMLDivElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (track.current === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.round(entry?.contentRect.width ?? 0)));
    observer.observe(track.current);
    return () => observer.disconnect();
  }, [track]);
  return width;
}

interface Wheel {
  readonly range: Range;
  readonly onRange: (range: Range) => void;
}

const PER_PIXEL = 0.003;

/** With Ctrl the wheel zooms around the pointer; sideways it pans. React's own listener could not prevent the zoom of the browser. */
function useWheel(scroller: RefObject<HTMLDivElement | null>, track: RefObject<HTMLDivElement | null>, wheel: Wheel): void {
  const latest = useRef(wheel);
  latest.current = wheel;
  useEffect(() => {
    const element = scroller.current;
    const turned = (event: WheelEvent): void => {
      const next = rangeAfter(event, latest.current.range, track.current?.getBoundingClientRect());
      if (next === null) return;
      event.preventDefault();
      latest.current.onRange(next);
    };
    element?.addEventListener('wheel', turned, { passive: false });
    return () => element?.removeEventListener('wheel', turned);
  }, [scroller, track]);
}

/** Null: the wheel scrolls. */
function rangeAfter({ ctrlKey, metaKey, shiftKey, deltaX, deltaY, clientX }: WheelEvent, range: Range, box: DOMRect | undefined): Range | null {
  const width = Math.max(1, box?.width ?? 1);
  if (ctrlKey || metaKey) {
    const at = Math.max(0, Math.min(1, (clientX - (box?.left ?? 0)) / width));
    return zoomed(range, Math.exp(deltaY * PER_PIXEL), range.start + at * (range.end - range.start));
  }
  const sideways = shiftKey ? deltaY : deltaX;
  return Math.abs(sideways) < 1 ? null : panned(range, sideways / width);
}
