// For tests: a directory for databases. In memory, a commit does not wait for a disk.
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Creates a directory whose name begins with the prefix. The test removes it. */
export function makeMemoryDir(prefix: string): string {
  return mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), prefix));
}
