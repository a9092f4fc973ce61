// The row whose details are open, and a click on another one.
import { useChangeUrl, useUrlState } from '../../app/url-state.ts';

/** For tables of principals: the key of a row is the id of its principal. */
export function useOpenDetail() {
  const [who] = useUrlState('who');
  const change = useChangeUrl();
  return { selected: who, onSelect: ({ id }: { readonly id: string }) => change({ who: id }) };
}
