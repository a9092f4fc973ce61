import type { ReactNode } from 'react';

export interface Column<Row> {
  readonly name: string;
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  readonly isNumber?: boolean;
}

interface DataTableProps<Row> {
  /** For screen readers: what the rows are. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly selected?: string | undefined;
  /** A click anywhere on a row. Give the first cell a button or a link too, for the keyboard. */
  readonly onSelect?: (row: Row) => void;
}

/** A plain table of up to some hundred rows. On a small screen each row becomes a list of its cells. */
export function DataTable<Row>({ label, columns, rows, keyOf, selected, onSelect }: DataTableProps<Row>) {
  return (
    <div className="table-frame">
      <table className="table stacks" aria-label={label}>
        <thead>
          <tr>
            {columns.map(({ name, title, isNumber }) => (
              <th key={name} scope="col" className={isNumber === true ? 'number' : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} data-selected={keyOf(row) === selected} onClick={onSelect && (() => onSelect(row))}>
              {columns.map(({ name, title, cell, isNumber }) => (
                <td key={name} data-label={title} className={isNumber === true ? 'number' : undefined}>
                  <div>{cell(row)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
