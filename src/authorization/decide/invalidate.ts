// Invalidates cached decisions in place: an nginx worker that has a file open still reads it after it was removed.
import { closeSync, constants, type Dirent, fstatSync, openSync, writeSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../contract/errno.ts';

/**
 * Overwrites the first field of a cached file, its version. nginx reads the head of the file on every use, and treats a file of
 * another version as a miss (ngx_http_file_cache_read). No nginx has this version, nor half of it.
 */
const NO_VERSION = Buffer.alloc(8, 0xff);

/** Follows no link, and does not block on what is not a regular file. */
const IN_PLACE = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Invalidates every file below `swept`, a directory with directories of nginx's cache (`levels=1`). Tries all, then throws an AggregateError. */
export async function invalidate(swept: string, open: typeof openSync = openSync): Promise<void> {
  const errors: unknown[] = [];
  for (const directory of (await entriesOf(swept)).filter((entry) => entry.isDirectory())) {
    const path = join(swept, directory.name);
    const files = (await entriesOf(path)).filter((entry) => entry.isFile());
    errors.push(...files.flatMap(({ name }) => failureOf(() => invalidateFile(join(path, name), open))));
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} cached decisions could not be invalidated: ${String(errors[0])}`);
}

/** Synchronous: the file is in memory, each write takes microseconds, and nginx answers from the file until then. */
function invalidateFile(path: string, open: typeof openSync): void {
  const fd = open(path, IN_PLACE);
  try {
    // nginx gives a file one name: a file with more links is not nginx's.
    if (fstatSync(fd).nlink === 1) writeSync(fd, NO_VERSION, 0, NO_VERSION.length, 0);
  } finally {
    closeSync(fd);
  }
}

function failureOf(work: () => void): readonly unknown[] {
  try {
    work();
    return [];
  } catch (error) {
    return isGone(error) ? [] : [error];
  }
}

function entriesOf(directory: string): Promise<readonly Dirent[]> {
  return readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    if (isGone(error)) return [];
    throw error;
  });
}

/** Another sweep has removed it, and a sweep invalidates a file before it removes it. */
function isGone(error: unknown): boolean {
  return isErrno(error, 'ENOENT');
}
