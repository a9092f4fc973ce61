// Tools in venvs, with a fake uv in shell.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandFailed } from './errors.ts';
import { ensureVenv, type VenvRequest } from './venv.ts';

let directory: string;
let progress: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lictor-venv-'));
  progress = [];
  mkdirSync(join(directory, 'bin'));
  uv('true');
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** Records every call; `pip` runs the given line. */
function uv(pip: string): void {
  const file = join(directory, 'bin/uv');
  writeFileSync(file, `#!/bin/sh\necho "$*" >>"${directory}/calls"\ncase $1 in venv) mkdir -p "$3/bin" ;; pip) ${pip} ;; esac\n`);
  chmodSync(file, 0o755);
}

function request(): VenvRequest {
  const cacheDir = join(directory, 'cache');
  return {
    directory: join(cacheDir, 'tool-1'),
    requirements: ['tool==1'],
    cacheDir,
    env: { PATH: `${join(directory, 'bin')}:/usr/bin:/bin` },
    onProgress: (line) => progress.push(line),
  };
}

const calls = () => readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n');

describe('ensureVenv', () => {
  it('makes it once, with progress, and is silent afterwards', async () => {
    expect(await ensureVenv(request())).toBe(join(directory, 'cache/tool-1/bin'));
    expect(progress[0]).toBe('bringing tool==1');
    await ensureVenv(request());
    expect(calls()).toHaveLength(2);
    expect(calls()[1]).toContain('--compile-bytecode');
  });

  it('makes it once when two ask at once', async () => {
    await Promise.all([ensureVenv(request()), ensureVenv(request())]);
    expect(calls()).toHaveLength(2);
  });

  it('fails with the words of the tool, takes nothing half made for whole, and tries again', async () => {
    uv('echo index is away >&2; exit 1');
    await expect(ensureVenv(request())).rejects.toThrow(/index is away[\s\S]*try again/);
    await expect(ensureVenv(request())).rejects.toBeInstanceOf(CommandFailed);
    uv('true');
    await ensureVenv(request());
    expect(existsSync(`${request().directory}.lock`)).toBe(false);
  });

  it('takes over the lock of a killed process', async () => {
    const lock = `${request().directory}.lock`;
    mkdirSync(lock, { recursive: true });
    const longAgo = new Date(Date.now() - 3_600_000);
    utimesSync(lock, longAgo, longAgo);
    await ensureVenv(request());
    expect(calls()).toHaveLength(2);
  });
});
