// The timeline of one run: the picture or the table, and the open row beside it.
import { type KeyboardEvent, useDeferredValue, useMemo, useRef } from 'react';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { ViewLoading } from '../../parts/view-loading.tsx';
import { createAxis, panned, type Range, WHOLE, zoomed } from './axis.ts';
import { Chart } from './chart.tsx';
import { Details } from './details.tsx';
import { matching } from './items.ts';
import { type Command, commandOf } from './keys.ts';
import { Legend } from './legend.tsx';
import { rangeOf, shownIn, turn, useLook } from './look.ts';
import type { Row, Timed } from './row.ts';
import { RowsTable } from './rows-table.tsx';
import styles from './run.module.css';
import { RunHead } from './run-head.tsx';
import { Toolbar } from './toolbar.tsx';
import { useNarrow } from './use-narrow.ts';
import { type TimelineState, useTimeline } from './use-timeline.ts';

export function RunPage({ id }: { readonly id: string }) {
  const state = useTimeline(id);
  if (state.head === null && state.problem !== null) return <ErrorNotice error={errorOf(state.problem)} />;
  if (state.head === null) return <ViewLoading />;
  return <Run {...state} head={state.head} />;
}

function Run({ head, rows: every, get, complete, problem }: TimelineState & { readonly head: NonNullable<TimelineState['head']> }) {
  const { look, change } = useLook();
  const narrow = useNarrow();
  const scroller = useRef<HTMLDivElement>(null);
  const find = useRef<HTMLInputElement>(null);
  const text = useDeferredValue(look.text);
  const rows = useMemo(() => matching(every, text), [every, text]);
  const axis = useMemo(() => axisOf(every, head, look.collapse), [every, head, look.collapse]);
  const range = useMemo(() => rangeOf(look, axis), [look, axis]);
  const show = (next: Range): void => change(shownIn(next, axis), { replace: true });
  const select = (row: string): void => change({ row }, { replace: look.selected !== '' });
  const selected = get(look.selected);
  const run: Readonly<Record<Command, () => void>> = {
    in: () => show(zoomed(range, 0.5, (range.start + range.end) / 2)),
    out: () => show(zoomed(range, 2, (range.start + range.end) / 2)),
    fit: () => show(WHOLE),
    left: () => show(panned(range, -0.25)),
    right: () => show(panned(range, 0.25)),
    form: () => change({ form: look.form === 'table' ? '' : 'table' }),
    find: () => find.current?.focus(),
    close: () => select(''),
  };
  const onKey = (event: KeyboardEvent): void => {
    const command = commandOf(event);
    if (command === null) return;
    event.preventDefault();
    run[command]();
  };
  const shared = { rows, onKey, scroller, narrow };
  return (
    <section className={styles['run']} aria-label="Run">
      <RunHead head={head} state={stateOf(every, head.id)} />
      {problem !== null && <ErrorNotice error={errorOf(problem)} />}
      <Toolbar look={look} change={change} run={run} find={find} shown={rows.length} all={every.length} complete={complete} />
      <div className={styles['body']} data-open={selected !== undefined}>
        {look.form === 'table' ? (
          <RowsTable {...shared} zero={axis.from} selected={look.selected} onOpen={select} />
        ) : (
          <Chart
            {...shared}
            run={head.id}
            axis={axis}
            range={range}
            look={look}
            onRange={show}
            onOpen={select}
            onTurn={(id) => change({ turned: turn(look.shape.turned, id) }, { replace: true })}
          />
        )}
        {selected !== undefined && (
          <Details
            at={selected}
            zero={axis.from}
            readable={head.readable}
            onShow={() => show(around(selected, axis))}
            onClose={() => {
              select('');
              scroller.current?.focus();
            }}
          />
        )}
      </div>
      <Legend />
    </section>
  );
}

function axisOf(rows: readonly Timed[], { last_at }: NonNullable<TimelineState['head']>, collapse: boolean) {
  return createAxis(rows, { collapse, until: last_at === null ? undefined : Date.parse(last_at) });
}

/** The row with as much time before and after it. */
function around({ from, to }: Timed, axis: ReturnType<typeof createAxis>): Range {
  const room = Math.max(50, to - from);
  const [start, end] = [axis.placeOf(from - room), axis.placeOf(to + room)];
  return { start: Math.max(0, start), end: Math.min(1, end) };
}

/** The last one. */
function stateOf(rows: readonly Timed[], run: string): Row | undefined {
  return rows.findLast(({ row }) => row.kind === 'state' && row.flow_run_id === run)?.row;
}

function errorOf(problem: unknown): Error {
  return problem instanceof Error ? problem : new Error(String(problem));
}
