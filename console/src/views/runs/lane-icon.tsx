// A sign for each lane, so that no lane is known by its colour alone.

import styles from './chart.module.css';
import type { Lane } from './row.ts';

/** Lines on a grid of 16. */
const PATHS: Readonly<Record<Lane, string>> = {
  who: 'M8 2.5a2.750 2.750 0 1 1 0 5.500a2.750 2.750 0 1 1 0-5.500M2.500 14c.6-5 10.400-5 11 0',
  approval: 'M8 1.500l5.500 2v4.500c0 3.500-2.500 5.500-5.500 6.500c-3-1-5.500-3-5.500-6.500V3.500zM5.500 8l2 2 3.500-4',
  decision: 'M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12M3.800 3.800l8.400 8.400',
  state: 'M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12M8 5v3.500l2.500 1.500',
  task: 'M2.500 3.500h11v9h-11zM5.500 8l2 2 3.500-4',
  run: 'M4 2.500v7.500h5M9 7.500h4.500v5H9z',
  service: 'M2 8h9M8 4.500L11.500 8L8 11.500M14 3v10',
  worker: 'M3 4.500h10v7H3zM6 14h4M8 11.500V14M6 8h4',
  request: 'M2.500 5.500h10M9.500 2.500l3 3l-3 3M13.500 11h-10M6.500 8l-3 3l3 3',
  event: 'M9 1.500L3.500 9H8l-1 5.500L12.500 7H8z',
  gateway: 'M2.500 3h11v4h-11zM2.500 9h11v4h-11zM5 5h.010M5 11h.010',
};

export function LaneIcon({ lane }: { readonly lane: Lane }) {
  return (
    <svg className={styles['icon']} viewBox="0 0 16 16" aria-hidden="true" data-lane={lane}>
      <path d={PATHS[lane]} />
    </svg>
  );
}
