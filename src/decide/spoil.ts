// Makes cached decisions worthless in place: removing a file does not take it away from an nginx worker that has it open.
import { constants, type Dirent } from 'node:fs';
import { open as openFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * What is written over the first field of a cached file, its version. nginx reads the head of the file on every use, open already or
 * not, and takes one of another version for none (ngx_http_file_cache_read). No nginx has this version, nor half of it.
 */
const NO_VERSION = Buffer.alloc(8, 0xff);

/** A link is never followed, and nothing is waited for that is no file. */
const IN_PLACE = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Every file below `swept`, a directory that has directories of nginx's cache in it (`levels=1`). All are tried: throws AggregateError afterwards. */
export async function spoil(swept: string, open: typeof openFile = openFile): Promise<void> {
  const directories = (await entriesOf(swept)).filter((entry) => entry.isDirectory());
  const failures = await Promise.all(directories.map(({ name }) => spoilFiles(join(swept, name), open)));
  const errors = failures.flat();
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} remembered decisions could not be made worthless: ${String(errors[0])}`);
}

/** Answers what failed. */
async function spoilFiles(directory: string, open: typeof openFile): Promise<readonly unknown[]> {
  const errors: unknown[] = [];
  const files = (await entriesOf(directory)).filter((entry) => entry.isFile());
  for (const { name } of files) {
    await spoilFile(join(directory, name), open)
      .catch(goneIsSpoilt)
      .catch((error: unknown) => errors.push(error));
  }
  return errors;
}

async function spoilFile(path: string, open: typeof openFile): Promise<void> {
  const file = await open(path, IN_PLACE);
  try {
    const { nlink } = await file.stat();
    // nginx gives a file one name: what has another one is somebody else's.
    if (nlink === 1) await file.write(NO_VERSION, 0, NO_VERSION.length, 0);
  } finally {
    await file.close();
  }
}

function entriesOf(directory: string): Promise<readonly Dirent[]> {
  return readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    goneIsSpoilt(error);
    return [];
  });
}

/** Another sweep has removed it, and does so only after it has done the same. */
function goneIsSpoilt(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
