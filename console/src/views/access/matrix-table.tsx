import { type KeyboardEvent, type SyntheticEvent, useState } from 'react';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import type { MatrixRow } from './data.ts';
import { breakable, cellAfter, GROUPS, groupSpans, type ShownColumn, STATES } from './states.ts';

export interface Chosen {
  readonly principal: string;
  readonly action: string;
}

interface Props {
  readonly rows: readonly MatrixRow[];
  readonly columns: readonly ShownColumn[];
  readonly chosen: Chosen | undefined;
  readonly onChoose: (chosen: Chosen) => void;
}

/** One tab stop: arrow keys go from cell to cell. On a small screen each row becomes a list. */
export function MatrixTable({ rows, columns, chosen, onChoose }: Props) {
  const onKeyDown = (event: KeyboardEvent<HTMLTableElement>) => {
    const at = event.target instanceof HTMLElement ? event.target.dataset : {};
    const next = cellAfter(event.key, { row: Number(at['row']), column: Number(at['column']) }, { rows: rows.length, columns: columns.length });
    if (next === undefined || at['row'] === undefined) return;
    event.preventDefault();
    event.currentTarget.querySelector<HTMLElement>(`[data-row="${next.row}"][data-column="${next.column}"]`)?.focus();
  };
  const isThere = rows.some(({ id }) => id === chosen?.principal) && columns.some(({ action }) => action === chosen?.action);
  const [pointed, setPointed] = useState('');
  const onPoint = ({ target }: SyntheticEvent) => setPointed((target instanceof HTMLElement && target.closest('.cell')?.getAttribute('aria-label')) || '');
  return (
    <>
      <p className="matrix-pointed" aria-hidden="true">
        {pointed === '' ? 'Arrow keys go from cell to cell, Enter explains a cell.' : <UntrustedText text={pointed} longest={120} />}
      </p>
      <div className="table-frame matrix-frame">
        {/* biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: arrow keys go from cell to cell, so it is a grid */}
        <table className="matrix" role="grid" aria-label="Rights" onKeyDown={onKeyDown} onFocus={onPoint} onMouseOver={onPoint}>
          <MatrixHead columns={columns} />
          <tbody>
            {rows.map((row, at) => (
              <tr key={row.id}>
                <th scope="row">
                  <RowName row={row} />
                </th>
                {columns.map(({ action, index }, column) => {
                  const isChosen = chosen?.principal === row.id && chosen.action === action;
                  const { sign, word, tone } = STATES[row.cells[index] ?? 'unknown'];
                  return (
                    <td key={action} data-label={breakable(action)}>
                      <button
                        type="button"
                        className={`cell ${tone}`}
                        data-row={at}
                        data-column={column}
                        tabIndex={isChosen || (!isThere && at === 0 && column === 0) ? 0 : -1}
                        aria-pressed={isChosen}
                        aria-label={`${row.id}, ${action}: ${word}`}
                        onClick={() => onChoose({ principal: row.id, action })}
                      >
                        <span aria-hidden="true">{sign}</span>
                        <span className="cell-word">{word}</span>
                      </button>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function MatrixHead({ columns }: Pick<Props, 'columns'>) {
  return (
    <thead>
      <tr>
        <td rowSpan={2} />
        {groupSpans(columns).map(({ group, count }) => (
          <th key={group} scope="colgroup" colSpan={count} className="matrix-group">
            <span>{GROUPS[group] ?? group}</span>
          </th>
        ))}
      </tr>
      <tr>
        {columns.map(({ action }) => (
          <th key={action} scope="col" className="matrix-action">
            <span>{action}</span>
          </th>
        ))}
      </tr>
    </thead>
  );
}

function RowName({ row }: { readonly row: MatrixRow }) {
  const isRole = row.id.startsWith('role:');
  return (
    <>
      <strong>{isRole ? row.id.slice('role:'.length) : <UntrustedText text={row.id} longest={60} />}</strong>
      {row.refused_as !== null && <span className="matrix-note">{row.refused_as}</span>}
      {!isRole && row.refused_as === null && (
        <span className="matrix-note">{row.roles.length === 0 ? 'no role' : <UntrustedText text={row.roles.join(', ')} />}</span>
      )}
    </>
  );
}
