// A tar.gz of texts, with fixed names, owner and times.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { BundleFile } from './bundle.ts';

const run = promisify(execFile);

const MOST_BYTES = 256 * 1024 * 1024;

/** `directory`: its name in the archive. Rejects with the error of `tar`, which every distribution has. */
export async function archiveOf(directory: string, files: readonly BundleFile[]): Promise<Buffer> {
  const place = mkdtempSync(join(tmpdir(), 'lictor-support-'));
  try {
    for (const { name, text } of files) {
      const file = join(place, directory, name);
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(file, text, { mode: 0o600 });
    }
    const names = files.map(({ name }) => join(directory, name));
    const args = ['--create', '--file', '-', '--directory', place, '--owner=0', '--group=0', '--numeric-owner', ...names];
    const { stdout } = await run('tar', args, { encoding: 'buffer', maxBuffer: MOST_BYTES });
    return gzipSync(stdout);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
