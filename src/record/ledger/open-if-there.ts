// Opens a file that may not exist.
import { openSync } from 'node:fs';
import { isErrno } from '../../contract/errno.ts';

/** Opens a file for reading. Undefined: it does not exist. Throws the file system's other errors. */
export function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
