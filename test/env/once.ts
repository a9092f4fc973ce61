// Makes what the cache directory keeps: of two test runs at once one makes it, and the other waits.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isAlive, waitFor } from './process.ts';

/** The directory appears whole, or not at all: `make` fills another one. Resolves when it is there. */
export async function once(directory: string, make: (work: string) => Promise<void>): Promise<void> {
  const [work, lock] = [`${directory}.${process.pid}`, `${directory}.lock`];
  mkdirSync(work, { recursive: true });
  try {
    await waitFor(() => existsSync(directory) || takeLock(lock), { what: `${directory} by another test run`, timeoutMs: 300_000, everyMs: 500 });
    if (existsSync(directory)) return;
    try {
      await make(work);
      renameSync(work, directory);
    } finally {
      rmSync(lock, { force: true });
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** False: another process that lives has it. */
function takeLock(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const owner = Number(readFileSync(lock, 'utf8'));
    if (owner > 0 && !isAlive(owner)) rmSync(lock, { force: true });
    return false;
  }
}
