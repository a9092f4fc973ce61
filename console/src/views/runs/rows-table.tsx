// The rows of a run as a table, in the order of time.
import { type KeyboardEvent, memo, type RefObject, useMemo } from 'react';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { Cell, HeadCell, Line } from './cell.tsx';
import { Lines } from './lines.tsx';
import { LANE_NAMES, type Timed } from './row.ts';
import { outcome, subtitle, title, tone } from './say.ts';
import styles from './table.module.css';
import { offset, utc } from './words.ts';

interface TableProps {
  readonly rows: readonly Timed[];
  readonly zero: number;
  readonly selected: string;
  readonly narrow: boolean;
  readonly onOpen: (key: string) => void;
  readonly onKey: (event: KeyboardEvent) => void;
  readonly scroller: RefObject<HTMLDivElement | null>;
}

const COLUMNS = ['After', 'Time (UTC)', 'What', 'Who', 'Did', 'Outcome', 'Known'] as const;

export function RowsTable({ rows, zero, selected, narrow, onOpen, onKey, scroller }: TableProps) {
  const lines = useMemo(() => rows.map((at) => ({ id: at.row.key, at })), [rows]);
  return (
    <Lines
      lines={lines}
      label="Rows of the timeline"
      kind="grid"
      columns={COLUMNS.length}
      height={narrow ? 64 : 30}
      headHeight={HEAD}
      selected={selected}
      scroller={scroller}
      head={<Head />}
      render={({ at }) => <Cells at={at} zero={zero} />}
      rowProps={({ id }) => ({ selected: id === selected })}
      onOpen={({ id }) => onOpen(id)}
      onKey={onKey}
    />
  );
}

const HEAD = 34;

function Head() {
  return (
    <Line className={styles['head']}>
      {COLUMNS.map((name) => (
        <HeadCell key={name}>{name}</HeadCell>
      ))}
    </Line>
  );
}

const Cells = memo(function Cells({ at: { row, from }, zero }: { readonly at: Timed; readonly zero: number }) {
  const isRequest = row.kind === 'request' || row.kind === 'decision';
  return (
    <span className={styles['cells']} role="presentation">
      <Cell className={styles['time']}>{offset(from - zero)}</Cell>
      <Cell className={styles['time']}>{utc(row.time)}</Cell>
      <Cell>
        {'› '.repeat(row.depth)}
        {LANE_NAMES[row.lane]}
      </Cell>
      <Cell>{isRequest ? <UntrustedText text={title(row)} /> : subtitle(row)}</Cell>
      <Cell className={styles['code']}>
        <UntrustedText text={isRequest ? subtitle(row) : title(row)} />
      </Cell>
      <Cell data-tone={tone(row)}>{outcome(row)}</Cell>
      <Cell data-binding={row.binding}>{row.binding ?? 'Prefect'}</Cell>
    </span>
  );
});
