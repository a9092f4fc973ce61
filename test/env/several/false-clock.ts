// A clock that is wrong for the processes of one node: Debian's libfaketime answers them, and no other process.
import { chmodSync, globSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bringProgram } from '../../runner/programs.ts';

export interface FalseClock {
  /** The environment of processes that have this clock. */
  readonly env: NodeJS.ProcessEnv;
  /** Sets it ahead by so many seconds. Processes notice within a second. */
  set(aheadSeconds: number): void;
}

export async function falseClock(): Promise<FalseClock> {
  await bringProgram('faketime', process.env, (line) => void process.stderr.write(`${line}\n`));
  const [library = ''] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1');
  const directory = mkdtempSync(join(tmpdir(), 'lictor-test-clock-'));
  // nginx's workers have another user.
  chmodSync(directory, 0o711);
  const file = join(directory, 'ahead');
  const set = (aheadSeconds: number): void => writeFileSync(file, `+${aheadSeconds}\n`, { mode: 0o644 });
  set(0);
  const env = { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_CACHE_DURATION: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
  return { env, set };
}
