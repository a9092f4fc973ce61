// The position of each sink: one small file, written before the next batch is sent.
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isErrno } from '../../contract/errno.ts';
import { LictorError } from '../../contract/error.ts';

const state = z.object({
  /** Number of the last delivered record. 0: none. */
  n: z.int().min(0),
  /** The id and time of that record. Another id at this number means another ledger. */
  id: z.string(),
  time: z.string(),
  /** Number of the last delivered event, of those that the next record covers. 0: none. */
  event: z.int().min(0).default(0),
  /** The number of records in the batch that was sent without a known result: the next attempt must send the same batch. 0: there is none. */
  again: z.int().min(0).default(0),
  /** Records that were delivered, that the receiver rejected, and that retention deleted before delivery. */
  delivered: z.int().min(0),
  rejected: z.int().min(0),
  missed: z.int().min(0),
  /** Since when delivery fails, and why. Null while it works. */
  failing_since: z.string().nullable(),
  problem: z.string().nullable(),
});

export type SinkState = Readonly<z.output<typeof state>>;
export type Cursor = Pick<SinkState, 'n' | 'id' | 'time'>;

export const FRESH: Omit<SinkState, keyof Cursor> = { event: 0, again: 0, delivered: 0, rejected: 0, missed: 0, failing_since: null, problem: null };

/** Undefined: this sink is new. Throws LictorError `export-state-unreadable`: a new start would lose or repeat records, so the administrator decides. */
export function readState(directory: string, name: string): SinkState | undefined {
  const file = fileOf(directory, name);
  try {
    return state.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return undefined;
    throw new LictorError('export-state-unreadable', `${file} cannot be read: fix it, or remove it to start with new records.`, { cause });
  }
}

/** Atomic, also at a power failure. */
export function writeState(directory: string, name: string, next: SinkState): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = fileOf(directory, name);
  const fd = openSync(`${file}.new`, 'w', 0o600);
  try {
    writeSync(fd, `${JSON.stringify(next)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${file}.new`, file);
}

function fileOf(directory: string, name: string): string {
  return join(directory, `${name}.json`);
}
