import { useSyncExternalStore } from 'react';

const DARK = matchMedia('(prefers-color-scheme: dark)');

/** Whether the page is dark now. What a script draws must be drawn again when that changes. */
export function useDark(): boolean {
  return useSyncExternalStore(
    (changed) => {
      DARK.addEventListener('change', changed);
      return () => DARK.removeEventListener('change', changed);
    },
    () => DARK.matches,
  );
}
