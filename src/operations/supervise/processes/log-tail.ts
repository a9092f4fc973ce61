// The last lines of a log file, for error reports.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const TAIL_BYTES = 64 * 1024;

/** The last `lines` lines (of the last 64 KiB). Empty when the file cannot be read. Invalid UTF-8 is replaced. */
export function logTail(file: string, lines = 20): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    // A process that never wrote has no log.
    return '';
  }
  try {
    const { size } = fstatSync(descriptor);
    const length = Math.min(size, TAIL_BYTES);
    const buffer = Buffer.alloc(length);
    const read = readSync(descriptor, buffer, 0, length, size - length);
    return buffer.subarray(0, read).toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } finally {
    closeSync(descriptor);
  }
}
