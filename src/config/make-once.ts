// Creates a secret file of the state directory at the first start: complete or not at all. The first process wins.
import { chownSync, closeSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isErrno } from '../contract/errno.ts';

/**
 * Several processes may start at once, and the first content counts: read the file afterwards. Mode 0600. If root creates it, it belongs to the owner
 * of the directory, who runs the gateway. It survives a power failure, like the data that it signs or encrypts. Throws errors of the file system.
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
