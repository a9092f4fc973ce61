// Values of options that several commands have.
import { DURATION_HINT, parseDurationSeconds } from '../config/duration.ts';
import { isWhy, LONGEST_WHY } from '../identity/manage/lock-target.ts';
import { UsageError } from './errors.ts';

/** Milliseconds. `hint`: which other values the option has. */
export function durationOf(option: string, hint = ''): (text: string) => number {
  return (text) => {
    const seconds = parseDurationSeconds(text);
    if (seconds === undefined) throw new UsageError(`${option} ${text}: ${DURATION_HINT}${hint}`);
    return Math.ceil(seconds * 1000);
  };
}

/** A text for people, in one line. */
export function lineOf(option: string): (text: string) => string {
  return (text) => {
    if (!isWhy(text)) throw new UsageError(`${option}: one line of at most ${LONGEST_WHY} characters.`);
    return text;
  };
}
