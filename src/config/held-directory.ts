// Directories that the user of nginx can change meanwhile: Lictor opens each and works through its descriptor, so that no link can replace it.
import { constants, type Dirent } from 'node:fs';
import { open, readdir, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../contract/errno.ts';
import { settleAll } from '../contract/settle.ts';

/** Opens the directory itself, and fails for a link to one. */
const ITSELF = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * `work` gets a path that leads to this directory, even if another file replaces it meanwhile. The path is valid until `work` resolves. Only the last
 * name of a path is safe: open each directory below in its turn. Rejects with ENOTDIR or ELOOP if the path is no directory.
 */
export async function holdDirectory<T>(path: string, work: (held: string) => Promise<T>): Promise<T> {
  const directory = await open(path, ITSELF);
  try {
    return await work(`/proc/self/fd/${directory.fd}`);
  } finally {
    await directory.close();
  }
}

/** nginx creates fewer levels. */
const MOST_LEVELS = 8;
/** A worker may write a file into the directory between two tries. */
const ATTEMPTS = 4;

/**
 * Removes a file or directory with its content, and never follows a link, even one that appears meanwhile (`rm` of Node uses paths). Succeeds if there
 * is nothing. Rejects if something is left, after it has removed all the rest. Does not look deeper than eight directories.
 */
export async function removeTree(path: string, levels = MOST_LEVELS): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await holdDirectory(path, (held) => empty(held, levels));
      return await rmdir(path);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return;
      if (isErrno(error, 'ENOTDIR', 'ELOOP')) return await unlink(path).catch(absentIsDone);
      if (!isErrno(error, 'ENOTEMPTY') || attempt === ATTEMPTS) throw error;
    }
  }
}

async function empty(held: string, levels: number): Promise<void> {
  if (levels === 0) throw new Error('what is to be removed has more levels of directories than nginx makes');
  const entries = await readdir(held, { withFileTypes: true });
  const [directories, others] = [entries.filter(isDirectory), entries.filter((entry) => !isDirectory(entry))];
  await settleAll(others.map(({ name }) => unlink(join(held, name)).catch(absentIsDone)));
  // One after the other: each needs an open descriptor, and there may be any number.
  for (const { name } of directories) await removeTree(join(held, name), levels - 1);
}

function isDirectory(entry: Dirent): boolean {
  return entry.isDirectory();
}

/** Another process may have removed it already. */
function absentIsDone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
