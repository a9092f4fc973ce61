// A file that need not be there.
import { openSync } from 'node:fs';
import { isErrno } from '../../contract/errno.ts';

/** For reading; undefined: there is none. Throws what the file system throws otherwise. Close it. */
export function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
