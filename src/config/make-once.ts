// A secret file of the state directory that is made at the first start: whole or not at all, by whoever comes first.
import { chownSync, closeSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isErrno } from '../contract/errno.ts';

/**
 * Several processes may start at once: the first one's content counts, so read the file back. Mode 0600. Made by root, it is still for the user of
 * the gateway to read: the one whose directory it is in. It outlives a power failure: what is signed or sealed with it does. Throws what the file system throws.
 */
export function makeOnce(file: string, content: string | Buffer, toDisk: (descriptor: number) => void = fsyncSync): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const mine = `${file}.${process.pid}`;
  try {
    withOpen(openSync(mine, 'w', 0o600), (descriptor) => {
      writeFileSync(descriptor, content);
      toDisk(descriptor);
    });
    keepOwner(mine);
    linkSync(mine, file);
    withOpen(openSync(dirname(file), 'r'), toDisk);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

function withOpen(descriptor: number, work: (descriptor: number) => void): void {
  try {
    work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function keepOwner(made: string): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(made));
  chownSync(made, uid, gid);
}
