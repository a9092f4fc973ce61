// One line of the picture: what it is on the left, its mark on the axis on the right.
import { memo, useEffect, useRef } from 'react';
import type { Axis, Range } from './axis.ts';
import { Cell } from './cell.tsx';
import styles from './chart.module.css';
import type { FoldLine, Item, LaneLine, RowLine } from './items.ts';
import { LaneIcon } from './lane-icon.tsx';
import { besideMark, binsOf, markOf } from './marks.ts';
import { LANE_NAMES, type Timed } from './row.ts';
import { outcome, subtitle, type Tone, title, tone } from './say.ts';
import { offset, span } from './words.ts';

interface LineProps<I extends Item = Item> {
  readonly item: I;
  readonly axis: Axis;
  readonly range: Range;
  readonly width: number;
}

export const ChartLine = memo(function ChartLine({ item, ...place }: LineProps) {
  if (item.type === 'lane') return <LaneContent item={item} {...place} />;
  return item.type === 'row' ? <RowContent item={item} {...place} /> : <FoldContent item={item} {...place} />;
});

function LaneContent({ item, ...place }: LineProps<LaneLine>) {
  return (
    <>
      <Cell className={styles['label']} data-lane="head" style={{ paddingInlineStart: 10 + item.level * 16 }}>
        <Caret open={item.open} />
        <LaneIcon lane={item.lane} />
        <b className={styles['lane']}>{LANE_NAMES[item.lane]}</b>
        <span className={styles['count']}>{item.rows.length.toLocaleString('en')}</span>
      </Cell>
      <Cell className={styles['track']} aria-label={`${item.rows.length} ${item.rows.length === 1 ? 'row' : 'rows'}`}>
        <span className={styles['inset']}>
          <Summary rows={item.rows} dim={item.open && item.lane !== 'state'} {...place} />
        </span>
      </Cell>
    </>
  );
}

function Caret({ open }: { readonly open: boolean }) {
  return <span className={styles['caret']} data-open={open} aria-hidden="true" />;
}

function RowContent({ item, axis, range, width }: LineProps<RowLine>) {
  const { row } = item.at;
  const beside = subtitle(row);
  return (
    <>
      <Cell className={styles['label']} style={{ paddingInlineStart: 10 + item.level * 16 }}>
        {item.open === null ? <span className={styles['caret']} data-open="none" /> : <Caret open={item.open} />}
        <span className={styles['title']} data-kind={row.kind}>
          {title(row)}
        </span>
        {beside !== '' && <span className={styles['beside']}>{beside}</span>}
        {row.binding === 'asserted' && <span className={styles['asserted']}>asserted</span>}
      </Cell>
      <Cell className={styles['track']}>
        <span className={styles['inset']}>
          <MarkOf at={item.at} axis={axis} range={range} width={width} said={outcome(row)} />
        </span>
      </Cell>
    </>
  );
}

/** Above this number, the bar alone says where they are. */
const MOST_DOTS = 60;

function FoldContent({ item, axis, range, width }: LineProps<FoldLine>) {
  const [first, last] = [item.rows[0], item.rows.at(-1)];
  if (first === undefined || last === undefined) return null;
  return (
    <>
      <Cell className={styles['label']} style={{ paddingInlineStart: 10 + item.level * 16 }}>
        <span className={styles['caret']} data-open="none" />
        <span className={styles['times']}>{item.rows.length}×</span>
        <span className={styles['title']} data-kind="fold">
          {title(first.row)}
        </span>
        <span className={styles['beside']}>{subtitle(first.row)}</span>
        {first.row.binding === 'asserted' && <span className={styles['asserted']}>asserted</span>}
      </Cell>
      <Cell className={styles['track']}>
        <span className={styles['inset']}>
          {item.rows.length <= MOST_DOTS && item.rows.map((at) => <Dot key={at.row.key} at={at} axis={axis} range={range} />)}
          <MarkOf at={{ ...first, to: last.from }} axis={axis} range={range} width={width} said={`over ${span(last.from - first.from)}`} fold />
        </span>
      </Cell>
    </>
  );
}

function Dot({ at, axis, range }: { readonly at: Timed; readonly axis: Axis; readonly range: Range }) {
  const { left, outside } = markOf(at, axis, range);
  return outside === null ? <i className={styles['dot']} data-tone={tone(at.row)} data-binding={at.row.binding} style={{ left: `${left}%` }} /> : null;
}

interface MarkProps {
  readonly at: Timed;
  readonly axis: Axis;
  readonly range: Range;
  /** Pixels. */
  readonly width: number;
  readonly said: string;
  readonly fold?: boolean;
}

function MarkOf({ at, axis, range, width: pixels, said, fold = false }: MarkProps) {
  const { left, width, outside } = markOf(at, axis, range);
  const after = offset(at.from - axis.from);
  if (outside !== null)
    return (
      <i className={styles['outside']} data-side={outside}>
        {after}
      </i>
    );
  const lasts = fold || at.to > at.from || at.open;
  return (
    <>
      <i
        className={styles[lasts ? 'bar' : 'dot']}
        data-tone={tone(at.row)}
        data-kind={fold ? 'fold' : at.row.kind}
        data-open={at.open}
        data-binding={at.row.binding}
        style={lasts ? { left: `${left}%`, width: `${width}%` } : { left: `${left}%` }}
      />
      <span className={styles['said']} data-tone={tone(at.row)} style={besideMark({ left, width }, said, pixels)}>
        <span className={styles['after']}>{after}</span> {said}
      </span>
    </>
  );
}

const GRAVITY: readonly (Tone | null)[] = [null, 'calm', 'good', 'active', 'warn', 'bad'];

/** All rows of a lane in one line. */
function Summary({ rows, axis, range, width, dim }: Omit<LineProps, 'item'> & { readonly rows: readonly Timed[]; readonly dim: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (canvas.current === null || context == null || width === 0) return;
    canvas.current.width = width;
    const style = getComputedStyle(canvas.current);
    const bins = binsOf(rows, { axis, range, width }, ({ row }) => GRAVITY.indexOf(tone(row)));
    context.clearRect(0, 0, width, 12);
    bins.forEach((value, pixel) => {
      if (value === 0) return;
      context.fillStyle = style.getPropertyValue(`--tone-${GRAVITY[value]}`);
      context.fillRect(pixel, 0, 1, 12);
    });
  }, [rows, axis, range, width]);
  return <canvas ref={canvas} className={styles['summary']} data-dim={dim} height={12} />;
}
