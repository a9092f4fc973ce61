import { useSyncExternalStore } from 'react';

const NARROW = '(max-width: 640px)';

/** A phone, or a zoom of 400 %. */
export function useNarrow(): boolean {
  return useSyncExternalStore(
    (changed) => {
      const query = matchMedia(NARROW);
      query.addEventListener('change', changed);
      return () => query.removeEventListener('change', changed);
    },
    () => matchMedia(NARROW).matches,
  );
}
