// For tests: an empty store file. The creation of its tables takes most of the time of a small test, so it happens once.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { openStore } from './store.ts';

/** Writes the file of a new store, with its tables. */
export async function writeNewStore(file: string): Promise<void> {
  newStore ??= makeNewStore();
  writeFileSync(file, await newStore, { mode: 0o600 });
}

let newStore: Promise<Buffer> | undefined;

async function makeNewStore(): Promise<Buffer> {
  const dir = makeMemoryDir('lictor-store-');
  const file = join(dir, 'lictor.db');
  await (await openStore({ at: file, clock: () => 0 })).close();
  const bytes = readFileSync(file);
  rmSync(dir, { recursive: true });
  return bytes;
}
