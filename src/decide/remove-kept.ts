// Takes away what nginx has kept of a service's answers. Its directory is in one that belongs to nginx's own user, who may put anything there.
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removedDir } from '../config/kept-dir.ts';

/** The directory itself, whatever is put in its place from here on; a link is none. */
const ITSELF = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * `kept`: the directory of one service, below nginx's temporary one; if it is not there, nothing is kept. Its key has changed before, so
 * nothing is written over: nginx keeps no such file open (lint-open-files.ts). What is taken away lies beside the temporary directory before it
 * is removed, where that user cannot get at it. Rejects where a link stands in its place.
 */
export async function removeKept(kept: string): Promise<void> {
  const directory = await open(kept, ITSELF).catch(absentIsNothing);
  if (directory === undefined) return;
  const round = removedDir(kept, randomUUID());
  try {
    await mkdir(round, { mode: 0o700 });
    await takeAway(directory, round);
  } finally {
    await directory.close();
    // A worker may just be writing there: then it is not empty at first.
    await rm(round, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function takeAway({ fd }: FileHandle, round: string): Promise<void> {
  const from = `/proc/self/fd/${fd}`;
  await Promise.all((await readdir(from)).map((name) => rename(join(from, name), join(round, name)).catch(absentIsNothing)));
}

/** Another purge, or nginx's own cache manager, was quicker. */
function absentIsNothing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
