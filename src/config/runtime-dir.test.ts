// The runtime directory: short, reachable by nginx's workers, and never one that another user prepared.
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareRuntimeDir, prepareStateDir, removeRuntimeDir, runtimeBases } from './runtime-dir.ts';
import { chooseWorkerUser, nginxWorkerUser } from './worker-user.ts';

const isRoot = process.getuid?.() === 0;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lictor-runtime-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const mode = (path: string) => statSync(path).mode & 0o7777;

describe('prepareStateDir', () => {
  it('creates everything, can be repeated, and removes the runtime directory again', () => {
    const paths = prepareStateDir(join(directory, 'state'));
    expect(prepareStateDir(join(directory, 'state'))).toEqual(paths);
    expect(readlinkSync(paths.run)).toBe(dirname(paths.decisionSocket));
    expect(mode(paths.root)).toBe(isRoot ? 0o711 : 0o700);
    expect(mode(paths.edge)).toBe(0o700);
    expect(mode(dirname(paths.decisionSocket))).toBe(0o711);
    expect(mode(paths.decisionCache)).toBe(0o700);
    expect(Buffer.byteLength(paths.decisionSocket)).toBeLessThanOrEqual(107);
    removeRuntimeDir(paths);
    expect(existsSync(paths.decisionCache) || existsSync(paths.run)).toBe(false);
  });

  it('keeps the logs from other users before nginx has created them, and where an older one has', () => {
    const paths = prepareStateDir(join(directory, 'state'));
    expect([mode(paths.accessLog), mode(paths.edgeErrorLog)]).toEqual([0o600, 0o600]);
    chmodSync(paths.accessLog, 0o644);
    writeFileSync(paths.accessLog, 'line');
    prepareStateDir(join(directory, 'state'));
    expect([mode(paths.accessLog), readFileSync(paths.accessLog, 'utf8')]).toEqual([0o600, 'line']);
    removeRuntimeDir(paths);
  });

  it.runIf(isRoot)('gives the decision cache to the user of the workers', () => {
    const paths = prepareStateDir(join(directory, 'state'));
    expect(statSync(paths.decisionCache).uid).toBe(nginxWorkerUser()?.uid);
    removeRuntimeDir(paths);
  });

  it('points a stale link to the right place, and refuses anything else there', () => {
    const state = join(directory, 'state');
    mkdirSync(state);
    symlinkSync('/nonexistent', join(state, 'run'));
    const paths = prepareStateDir(state);
    expect(readlinkSync(paths.run)).toBe(dirname(paths.decisionSocket));
    removeRuntimeDir(paths);
    mkdirSync(join(state, 'run'));
    expect(() => prepareStateDir(state)).toThrow(/must be a symbolic link/);
    rmSync(dirname(paths.decisionSocket), { recursive: true, force: true });
  });

  it('gives two state directories two runtime directories, and one by any name the same', () => {
    const one = prepareStateDir(join(directory, 'one'));
    const two = prepareStateDir(join(directory, 'two'));
    symlinkSync(join(directory, 'one'), join(directory, 'alias'));
    expect(prepareStateDir(join(directory, 'alias')).decisionSocket).toBe(one.decisionSocket);
    expect(two.decisionSocket).not.toBe(one.decisionSocket);
    removeRuntimeDir(one);
    removeRuntimeDir(two);
  });

  it('says what to do when the state directory cannot be made', () => {
    writeFileSync(join(directory, 'file'), '');
    expect(() => prepareStateDir(join(directory, 'file', 'state'))).toThrow(/--state-dir/);
  });
});

describe('prepareRuntimeDir', () => {
  it('refuses a base that is a symbolic link, even to a directory of ours', () => {
    mkdirSync(join(directory, 'target'));
    symlinkSync(join(directory, 'target'), join(directory, 'base'));
    expect(() => prepareRuntimeDir('/state', [join(directory, 'base')])).toThrow(/symbolic link/);
  });

  it('refuses a dangling link and a file', () => {
    symlinkSync(join(directory, 'nowhere'), join(directory, 'dangling'));
    expect(() => prepareRuntimeDir('/state', [join(directory, 'dangling')])).toThrow(/symbolic link/);
    writeFileSync(join(directory, 'file'), '');
    expect(() => prepareRuntimeDir('/state', [join(directory, 'file')])).toThrow(/not a directory/);
  });

  it.runIf(isRoot)("refuses another user's directory, as base and below it", async () => {
    const { chownSync } = await import('node:fs');
    const base = join(directory, 'base');
    const runtime = prepareRuntimeDir('/state', [base]);
    chownSync(runtime, 12_345, 12_345);
    expect(() => prepareRuntimeDir('/state', [base])).toThrow(/belongs to user 12345/);
    chownSync(base, 12_345, 12_345);
    expect(() => prepareRuntimeDir('/state', [base])).toThrow(/belongs to user 12345/);
  });

  it('refuses a parent where others could swap it, and takes one with the sticky bit', () => {
    const parent = join(directory, 'parent');
    mkdirSync(parent);
    chmodSync(parent, 0o777);
    expect(() => prepareRuntimeDir('/state', [join(parent, 'base')])).toThrow(/sticky/);
    chmodSync(parent, 0o1777);
    expect(prepareRuntimeDir('/state', [join(parent, 'base')])).toMatch(/\/[0-9a-f]{12}$/);
  });

  it('closes a directory of ours that was too open', () => {
    const base = join(directory, 'base');
    mkdirSync(base);
    chmodSync(base, 0o777);
    prepareRuntimeDir('/state', [base]);
    expect(lstatSync(base).mode & 0o777).toBe(0o711);
  });

  it('takes the next base when a socket path would be too long, and says so when none is left', () => {
    const long = join(directory, 'x'.repeat(90));
    const base = join(directory, 'short');
    expect(prepareRuntimeDir('/state', [long, base])).toContain('/short/');
    expect(() => prepareRuntimeDir('/state', [long])).toThrow(/too long/);
    // Room for the control plane's own, and none for those that nginx makes of each server.
    const tight = join(directory, 'x'.repeat(Math.max(1, 75 - directory.length)));
    expect(prepareRuntimeDir('/state', [tight, base])).toContain('/short/');
  });
});

describe('runtimeBases', () => {
  it('always ends with /tmp, and uses XDG_RUNTIME_DIR only for ordinary users', () => {
    const bases = runtimeBases({ XDG_RUNTIME_DIR: directory });
    expect(bases.at(-1)).toMatch(/^\/tmp\/lictor-\d+$/);
    expect(bases.includes(join(directory, 'lictor'))).toBe(!isRoot);
    expect(runtimeBases({ XDG_RUNTIME_DIR: 'relative' }).every((base) => base.startsWith('/'))).toBe(true);
  });
});

describe('chooseWorkerUser', () => {
  it('prefers its own user, then www-data, falls back to nobody, never takes root', () => {
    expect(chooseWorkerUser('www-data:x:33:33::/:/x\nlictor-edge:x:995:995::/:/x\n')).toEqual({ name: 'lictor-edge', uid: 995, gid: 995 });
    expect(chooseWorkerUser('nobody:x:65534:65534::/:/x\nwww-data:x:33:33::/:/x\n')).toEqual({ name: 'www-data', uid: 33, gid: 33 });
    expect(chooseWorkerUser('nobody:x:65534:65534::/:/x\n')?.name).toBe('nobody');
    expect(chooseWorkerUser('www-data:x:0:0::/:/x\nroot:x:0:0::/:/x\n')).toBeNull();
  });
});
