// Times on the command line of `lictor audit`.
import { InvalidArgumentError } from 'commander';
import { DURATION_HINT, parseDurationSeconds } from '../config/duration.ts';
import { systemClock } from '../contract/clock.ts';

/** A duration before now, or a time; dates begin at midnight UTC. */
export function parseWhen(text: string): string {
  const seconds = parseDurationSeconds(text);
  if (seconds !== undefined) return new Date(systemClock() - seconds * 1000).toISOString();
  const ms = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new InvalidArgumentError(`${DURATION_HINT} Or a date, 2026-03-01, or a time with its zone, 2026-03-01T12:00:00Z.`);
  return new Date(ms).toISOString();
}
