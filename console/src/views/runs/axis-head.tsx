// The axis above the lines, and the fine lines behind them. Dragging over it shows that time.
import { type PointerEvent, type RefObject, useState } from 'react';
import styles from './axis.module.css';
import { type Axis, type Range, ticks } from './axis.ts';
import chart from './chart.module.css';
import { span, tickLabel } from './words.ts';

interface AxisProps {
  readonly axis: Axis;
  readonly range: Range;
  /** Pixels. */
  readonly width: number;
}

/** Pixels between two labels. */
const APART = 92;

function shownTicks({ axis, range, width }: AxisProps) {
  return width === 0 ? [] : ticks(axis, range, APART / width);
}

interface AxisHeadProps extends AxisProps {
  readonly track: RefObject<HTMLDivElement | null>;
  readonly onRange: (range: Range) => void;
}

export function AxisHead({ axis, range, width, track, onRange }: AxisHeadProps) {
  const [drag, setDrag] = useState<readonly [number, number] | null>(null);
  const placeAt = ({ clientX, currentTarget }: PointerEvent<HTMLDivElement>): number => {
    const box = currentTarget.getBoundingClientRect();
    return Math.max(0, Math.min(1, (clientX - box.left) / Math.max(1, box.width)));
  };
  const end = (): void => {
    setDrag(null);
    if (drag === null || Math.abs(drag[0] - drag[1]) < 0.01) return;
    const [first, last] = [Math.min(...drag), Math.max(...drag)];
    const shown = range.end - range.start;
    onRange({ start: range.start + first * shown, end: range.start + last * shown });
  };
  return (
    <div className={styles['head']} aria-hidden="true">
      <div className={styles['gutter']}>Time since the start</div>
      <div className={styles['axis']}>
        <div
          ref={track}
          className={chart['inset']}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            const at = placeAt(event);
            setDrag([at, at]);
          }}
          onPointerMove={(event) => {
            if (drag !== null) setDrag([drag[0], placeAt(event)]);
          }}
          onPointerUp={end}
          onPointerCancel={() => setDrag(null)}
        >
          {labelledTicks({ axis, range, width }).map(({ time, at, text }) => (
            <span key={time} className={styles['tick']} style={{ left: `${at * 100}%` }}>
              {text}
            </span>
          ))}
          {breaks({ axis, range, width }).map(({ from, left, text }) => (
            <span key={from} className={styles['break']} style={{ left }}>
              {text}
            </span>
          ))}
          {drag !== null && <span className={styles['drag']} style={{ left: `${Math.min(...drag) * 100}%`, width: `${Math.abs(drag[0] - drag[1]) * 100}%` }} />}
        </div>
      </div>
    </div>
  );
}

function at(place: number, { start, end }: Range): number {
  return ((place - start) / (end - start)) * 100;
}

/** The pixels of a character in such a label, and of what is around it. */
const CHARACTER = 6.2;
const AROUND = 14;

/** How long each idle time is, where there is room to say it. */
function breaks({ axis, range, width }: AxisProps) {
  let free = 0;
  return axis.idle.flatMap(({ start, end, from, to }) => {
    const text = span(to - from);
    const half = (text.length * CHARACTER + AROUND) / 2;
    const middle = (at((start + end) / 2, range) / 100) * width;
    if (middle < 0 || middle > width) return [];
    const left = Math.max(half, Math.min(width - half, middle));
    if (left - half < free) return [];
    free = left + half;
    return [{ from, left, half, text }];
  });
}

/** Pixels before the label of a tick. */
const BEFORE = 5;

/** No label lies below that of an idle time, and none is cut off at the end. */
function labelledTicks(props: AxisProps) {
  const { axis, width } = props;
  const idle = breaks(props);
  const labelled = shownTicks(props).map((tick) => ({ ...tick, text: tickLabel(Math.round(tick.time - axis.from)) }));
  return labelled.filter(({ at, text }) => {
    const [left, right] = [at * width, at * width + text.length * CHARACTER + BEFORE];
    return right <= width && idle.every(({ left: middle, half }) => right < middle - half || left > middle + half);
  });
}

export function Grid({ axis, range, width }: AxisProps) {
  return (
    <div className={styles['grid']} aria-hidden="true">
      <div className={styles['gridTrack']} style={{ width }}>
        {shownTicks({ axis, range, width }).map(({ time, at: place }) => (
          <i key={time} className={styles['rule']} style={{ left: `${place * 100}%` }} />
        ))}
        {axis.idle.map(({ start, end, from }) => (
          <i key={from} className={styles['idle']} style={{ left: `${at(start, range)}%`, width: `${at(end, range) - at(start, range)}%` }} />
        ))}
      </div>
    </div>
  );
}
