import { useEffect, useMemo, useRef } from 'react';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { columnsOf } from './numbers.ts';
import type { Point } from './queries.ts';
import { useDark } from './use-dark.ts';

export interface Series {
  readonly name: keyof Omit<Point, 'at'>;
  readonly title: string;
  /** A custom property of the design. */
  readonly colour: string;
  readonly isFilled?: boolean;
}

interface ChartProps {
  readonly label: string;
  readonly points: readonly Point[];
  readonly series: readonly Series[];
  readonly unit: (value: number) => string;
}

const HEIGHT = 180;

/** Lines over the last minutes. */
export function Chart(props: ChartProps) {
  const isDark = useDark();
  return (
    <figure className="chart">
      <figcaption>
        <strong className="chart-title">{props.label}</strong>
        {props.series.map(({ name, title, colour }) => (
          <span key={name} className="legend">
            <i style={{ background: `var(${colour})` }} />
            {title}
          </span>
        ))}
      </figcaption>
      <Plot key={String(isDark)} {...props} />
    </figure>
  );
}

/** New data are drawn in place. Another theme needs another plot. */
function Plot({ label, points, series, unit }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(undefined);
  const data = useMemo(
    () =>
      columnsOf(
        points,
        series.map(({ name }) => name),
      ),
    [points, series],
  );
  useEffect(() => {
    const parent = frame.current;
    if (parent === null) return;
    const made = new UPlot(optionsOf({ width: parent.clientWidth, series, unit }), [[]], parent);
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: parent.clientWidth, height: HEIGHT }));
    watch.observe(parent);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, [series, unit]);
  useEffect(() => plot.current?.setData(data), [data]);
  return <div ref={frame} className="plot" role="img" aria-label={`${label}, the last minutes`} />;
}

interface Drawn extends Pick<ChartProps, 'series' | 'unit'> {
  readonly width: number;
}

function optionsOf({ width, series, unit }: Drawn): UPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = { stroke: colour('--ink-3'), font: '11px system-ui', grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(max * 1.1, 1)] } },
    axes: [
      { ...axis, size: 26, values: (_plot, times) => times.map((seconds) => new Date(seconds * 1000).toISOString().slice(11, 16)) },
      { ...axis, size: 52, values: (_plot, values) => values.map(unit) },
    ],
    series: [
      {},
      ...series.map(({ title, colour: name, isFilled = false }) => ({
        label: title,
        stroke: colour(name),
        width: 1.5,
        points: { show: false },
        ...(isFilled && { fill: `color-mix(in srgb, ${colour(name)} 14%, transparent)` }),
      })),
    ],
  };
}
