// How far the stored events are behind what happens.
import type { EventsMark } from '../../../contract/prefect-event.ts';

/** Prefect writes an event down some seconds after it happened: younger ones are asked for later. */
export const SETTLE_MS = 15_000;
/** From one question to the next. */
export const ROUND_MS = 5_000;

/** 0 while everything goes its way. The streams bring most events at once; this is about the proof that none is missing. */
export function behindMs({ position }: Pick<EventsMark, 'position'>, nowMs: number): number {
  return Math.max(0, nowMs - Date.parse(position) - SETTLE_MS - 2 * ROUND_MS);
}
