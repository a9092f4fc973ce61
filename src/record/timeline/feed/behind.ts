// How far the stored events are behind Prefect.
import type { EventsMark } from '../../../contract/prefect-event.ts';

/** Prefect writes an event some seconds after it occurred. Younger events are fetched later. */
export const SETTLE_MS = 15_000;
/** Between two checks. */
export const ROUND_MS = 5_000;

/** 0 during normal operation. Streams bring most events at once; this measures the check that none is missing. */
export function behindMs({ position }: Pick<EventsMark, 'position'>, nowMs: number): number {
  return Math.max(0, nowMs - Date.parse(position) - SETTLE_MS - 2 * ROUND_MS);
}
