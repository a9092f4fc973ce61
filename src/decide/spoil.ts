// Makes cached decisions worthless in place: removing a file does not take it away from an nginx worker that has it open.
import { closeSync, constants, type Dirent, fstatSync, openSync, writeSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../contract/errno.ts';

/**
 * What is written over the first field of a cached file, its version. nginx reads the head of the file on every use, open already or
 * not, and takes one of another version for none (ngx_http_file_cache_read). No nginx has this version, nor half of it.
 */
const NO_VERSION = Buffer.alloc(8, 0xff);

/** A link is never followed, and nothing is waited for that is no file. */
const IN_PLACE = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Every file below `swept`, a directory that has directories of nginx's cache in it (`levels=1`). All are tried: throws AggregateError afterwards. */
export async function spoil(swept: string, open: typeof openSync = openSync): Promise<void> {
  const errors: unknown[] = [];
  for (const directory of (await entriesOf(swept)).filter((entry) => entry.isDirectory())) {
    const path = join(swept, directory.name);
    const files = (await entriesOf(path)).filter((entry) => entry.isFile());
    errors.push(...files.flatMap(({ name }) => failureOf(() => spoilFile(join(path, name), open))));
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} remembered decisions could not be made worthless: ${String(errors[0])}`);
}

/** Without waiting in between: it is memory, each is a few microseconds, and until then it is answered from. */
function spoilFile(path: string, open: typeof openSync): void {
  const fd = open(path, IN_PLACE);
  try {
    // nginx gives a file one name: what has another one is somebody else's.
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

/** Another sweep has removed it, and does so only after it has done the same. */
function isGone(error: unknown): boolean {
  return isErrno(error, 'ENOENT');
}
