// Takes away what nginx has kept of a service's answers. Its directory is in one that belongs to nginx's own user, who may put anything there.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { holdDirectory, removeTree } from '../config/held-directory.ts';
import { removedDir } from '../config/kept-dir.ts';
import { settleAll } from '../contract/settle.ts';

/**
 * `kept`: the directory of one service, below nginx's temporary one; if it is not there, nothing is kept. Its key has changed before, so
 * nothing is written over: nginx keeps no such file open (lint-open-files.ts). What is taken away lies beside the temporary directory before it
 * is removed, where that user makes nothing new. Rejects where a link stands in its place.
 */
export async function removeKept(kept: string): Promise<void> {
  await holdDirectory(kept, (held) => takeAway(held, removedDir(kept, randomUUID()))).catch(absentIsNothing);
}

async function takeAway(held: string, round: string): Promise<void> {
  await mkdir(round, { mode: 0o700 });
  try {
    await settleAll((await readdir(held)).map((name) => rename(join(held, name), join(round, name)).catch(absentIsNothing)));
  } finally {
    await removeTree(round);
  }
}

/** Another purge, or nginx's own cache manager, was quicker. */
function absentIsNothing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
