// The version of the state directory: a newer one is refused, an older one is copied and migrated.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareStateDir, removeRuntimeDir } from './runtime-dir.ts';
import { type StatePaths, statePaths } from './state-dir.ts';
import { assertStateNotNewer, type Migration, upgradeState } from './state-version.ts';

const NEWEST = 1;
const NEXT: readonly Migration[] = [{ to: 2, run: async () => {} }];
let root: string;
let paths: StatePaths;
let lines: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lictor-version-'));
  paths = statePaths(root, join(root, 'rt'));
  lines = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const upgrade = (migrations?: readonly Migration[]) =>
  upgradeState({ paths, storeFile: paths.storeFile, now: () => 0, log: (line) => lines.push(line), ...(migrations !== undefined && { migrations }) });
const version = () => readFileSync(paths.version, 'utf8').trim();

/** A state directory of the first layout, without a version file: tables with something in them, a write-ahead log not folded in. */
function oldState(): DatabaseSync {
  const db = new DatabaseSync(paths.storeFile);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE tokens (name TEXT); INSERT INTO tokens VALUES ('etl')");
  writeFileSync(join(root, 'revision.json'), '{"number":7}');
  return db;
}

function tokensIn(file: string): unknown[] {
  using db = new DatabaseSync(file, { readOnly: true });
  return db
    .prepare('SELECT name FROM tokens')
    .all()
    .map((row) => row['name']);
}

describe('a new state directory', () => {
  it('gets the newest version, and no backup', async () => {
    await upgrade();
    expect(version()).toBe(String(NEWEST));
    expect(existsSync(paths.backup)).toBe(false);
    expect(lines).toEqual([]);
  });
});

describe('a state directory that a command made before the first start', () => {
  it('has the newest version already: no copy at the first start', async () => {
    const made = prepareStateDir(root);
    new DatabaseSync(made.storeFile).close();
    await upgrade();
    expect([version(), existsSync(paths.backup)]).toEqual([String(NEWEST), false]);
    removeRuntimeDir(made);
  });

  it('and one that holds a database is not mistaken for it', () => {
    oldState().close();
    removeRuntimeDir(prepareStateDir(root));
    expect(existsSync(paths.version)).toBe(false);
  });

  it('gets the version at its first start where it has the first layout, without a copy', async () => {
    oldState().close();
    await upgrade();
    expect([version(), existsSync(paths.backup)]).toEqual(['1', false]);
  });
});

describe('an older one', () => {
  it('without a version is copied whole, then migrated; a second start does nothing', async () => {
    using db = oldState();
    await upgrade(NEXT);
    expect(version()).toBe('2');
    const [copy = ''] = readdirSync(paths.backup);
    expect(copy).toMatch(/^v1-1970/);
    expect(lines[0]).toContain(join(paths.backup, copy));
    expect(tokensIn(join(paths.backup, copy, 'lictor.db'))).toEqual(['etl']);
    expect(readFileSync(join(paths.backup, copy, 'revision.json'), 'utf8')).toBe('{"number":7}');
    expect(statSync(join(paths.backup, copy)).mode & 0o077).toBe(0);
    expect(statSync(join(paths.backup, copy, 'lictor.db')).mode & 0o077).toBe(0);
    await upgrade(NEXT);
    expect(readdirSync(paths.backup)).toHaveLength(1);
    db.close();
  });

  it('goes through every step from where it is, in order', async () => {
    oldState().close();
    writeFileSync(paths.version, '2\n');
    const ran: number[] = [];
    const step = (to: number): Migration => ({ to, run: async () => void ran.push(to) });
    await upgrade([1, 2, 3, 4].map(step));
    expect([ran, version()]).toEqual([[3, 4], '4']);
  });

  it('stays at the version of the last step that worked, and the message names the copy', async () => {
    oldState().close();
    const steps: Migration[] = [
      { to: 2, run: async () => {} },
      { to: 3, run: () => Promise.reject(new Error('broken')) },
    ];
    await expect(upgrade(steps)).rejects.toMatchObject({ code: 'state-upgrade-failed', message: expect.stringContaining(join(paths.backup, 'v1-')) });
    expect(version()).toBe('2');
  });

  it('that cannot be copied is not touched', async () => {
    oldState().close();
    writeFileSync(paths.backup, 'in the way');
    await expect(upgrade(NEXT)).rejects.toMatchObject({ code: 'state-upgrade-failed', message: expect.stringContaining('nothing was changed') });
    expect(existsSync(paths.version)).toBe(false);
  });
});

describe('a newer one', () => {
  beforeEach(() => writeFileSync(paths.version, '999\n'));

  it('is refused with what to do, and nothing is touched', async () => {
    const before = readdirSync(root);
    await expect(upgrade()).rejects.toMatchObject({ code: 'state-newer', message: expect.stringMatching(/version 999 .* up to 1 .*newer Lictor/) });
    expect(readdirSync(root)).toEqual(before);
    expect(version()).toBe('999');
  });

  it('is refused by every command, before anything is made in it', () => {
    expect(() => prepareStateDir(root)).toThrow(expect.objectContaining({ code: 'state-newer' }));
    expect(readdirSync(root)).toEqual(['version']);
  });
});

it('refuses a version that is none, and takes the newest', () => {
  writeFileSync(paths.version, 'one\n');
  expect(() => assertStateNotNewer(paths.version)).toThrow(expect.objectContaining({ code: 'state-dir-unusable' }));
  writeFileSync(paths.version, `${NEWEST}\n`);
  expect(() => assertStateNotNewer(paths.version)).not.toThrow();
  removeRuntimeDir(prepareStateDir(root));
});
