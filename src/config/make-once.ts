// A secret file of the state directory that is made at the first start: whole or not at all, by whoever comes first.
import { chownSync, linkSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isErrno } from '../contract/errno.ts';

/**
 * Several processes may start at once: the first one's content counts, so read the file back. Mode 0600. Made by root, it is still for the user of
 * the gateway to read: the one whose directory it is in. Throws what the file system throws.
 */
export function makeOnce(file: string, content: string | Buffer): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, content, { mode: 0o600 });
  try {
    keepOwner(mine);
    linkSync(mine, file);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  } finally {
    rmSync(mine);
  }
}

function keepOwner(made: string): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(made));
  chownSync(made, uid, gid);
}
