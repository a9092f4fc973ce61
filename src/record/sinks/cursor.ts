// How far a sink has got: a small file for each, written whole before the next batch is sent.
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isErrno } from '../../contract/errno.ts';
import { LictorError } from '../../contract/error.ts';

const state = z.object({
  /** Number of the last record that was delivered; 0: none, and none before it is wanted. */
  n: z.int().min(0),
  /** Its id and time: another record at its number means another ledger. */
  id: z.string(),
  time: z.string(),
  /** Number of the last event that was delivered of those of which the next record speaks; 0: none of them. */
  event: z.int().min(0).default(0),
  /** How many the next batch has, since it was tried already; 0: as many as there are. */
  again: z.int().min(0).default(0),
  /** Records that were delivered, that the receiver did not want, and that went by retention before they could be sent. */
  delivered: z.int().min(0),
  rejected: z.int().min(0),
  missed: z.int().min(0),
  /** Since when nothing gets through, and why; null while it does. */
  failing_since: z.string().nullable(),
  problem: z.string().nullable(),
});

export type SinkState = Readonly<z.output<typeof state>>;
export type Cursor = Pick<SinkState, 'n' | 'id' | 'time'>;

export const FRESH: Omit<SinkState, keyof Cursor> = { event: 0, again: 0, delivered: 0, rejected: 0, missed: 0, failing_since: null, problem: null };

/** Undefined: this sink is new. Throws LictorError `export-state-unreadable`: to begin anew would lose or double records, so somebody has to decide. */
export function readState(directory: string, name: string): SinkState | undefined {
  const file = fileOf(directory, name);
  try {
    return state.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return undefined;
    throw new LictorError('export-state-unreadable', `${file} cannot be read: fix it, or remove it to start with new records.`, { cause });
  }
}

/** All of it or nothing, also over a power failure. */
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
