// The row whose details are open, and a click on another one.
import { useChangeUrl, useUrlState } from '../../app/url-state.ts';
import type { Column } from '../../parts/data-table.tsx';

/** For tables of principals: the key of a row is the id of its principal. */
export function useOpenDetail() {
  const [who] = useUrlState('who');
  const change = useChangeUrl();
  return { selected: who, onSelect: ({ id }: { readonly id: string }) => change({ who: id }) };
}

/** Beside the details there is room for three columns: the last one has the buttons of a row. */
export function shownColumns<Row>(columns: readonly Column<Row>[], selected: string): readonly Column<Row>[] {
  if (selected === '') return columns;
  const buttons = columns.filter(({ name }) => name === 'do');
  return [...columns.slice(0, 3 - buttons.length), ...buttons];
}
