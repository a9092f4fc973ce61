// For tests: a store file that nobody has written to. To make its schema takes most of the time of a small test, so it is made once.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { openStore } from './store.ts';

/** Writes the file of a new store; openStore finds its schema there. */
export async function writeNewStore(file: string): Promise<void> {
  newStore ??= makeNewStore();
  writeFileSync(file, await newStore, { mode: 0o600 });
}

let newStore: Promise<Buffer> | undefined;

async function makeNewStore(): Promise<Buffer> {
  const dir = makeMemoryDir('lictor-store-');
  const file = join(dir, 'lictor.db');
  await (await openStore({ file, clock: () => 0 })).close();
  const bytes = readFileSync(file);
  rmSync(dir, { recursive: true });
  return bytes;
}
