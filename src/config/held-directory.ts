// Directories that nginx's own user may change while they are worked on: held open, so that no link can be put in their place.
import { constants, type Dirent } from 'node:fs';
import { open, readdir, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../contract/errno.ts';
import { settleAll } from '../contract/settle.ts';

/** The directory itself; a link to one is none. */
const ITSELF = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * `work` is given a path that leads to this very directory, whatever is put in its place meanwhile; it may use it until it resolves, so nothing of it
 * may be under way then. Only the last name of a path is safe: a directory below is held in its turn. Rejects with ENOTDIR or ELOOP where no directory is.
 */
export async function holdDirectory<T>(path: string, work: (held: string) => Promise<T>): Promise<T> {
  const directory = await open(path, ITSELF);
  try {
    return await work(`/proc/self/fd/${directory.fd}`);
  } finally {
    await directory.close();
  }
}

/** Deeper than anything that nginx makes. */
const MOST_LEVELS = 8;
/** A worker may just be writing there: then it is not empty at first. */
const ATTEMPTS = 4;

/**
 * Removes what is there with all that is in it, and nothing behind links, whatever its owner puts in their place meanwhile (`rm` of Node goes by paths).
 * Nothing there: done. Rejects where something stays, after all else is gone; deeper than eight directories nothing is looked at.
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
  // One after the other: each is held open, and there may be any number.
  for (const { name } of directories) await removeTree(join(held, name), levels - 1);
}

function isDirectory(entry: Dirent): boolean {
  return entry.isDirectory();
}

/** Whoever else removes it was quicker. */
function absentIsDone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
