// For tests: a temporary state directory.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StatePaths, statePaths } from '../../../config/state-dir.ts';

export interface TestState {
  readonly paths: StatePaths;
  readonly us: { readonly name: string; readonly uid: number; readonly gid: number };
  write(file: string, text: string): void;
  remove(): void;
}

export function openTestState(): TestState {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'lictor-doctor-')));
  const paths = statePaths(root, join(root, 'run'));
  mkdirSync(paths.run);
  mkdirSync(paths.log);
  return {
    paths,
    us: { name: 'us', uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 },
    write: (file, text) => writeFileSync(file, text),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
