// The version of the state directory: a newer one is rejected, an older one is copied.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeMemoryDir } from './memory-dir.fixture.ts';
import { prepareStateDir, removeRuntimeDir } from './runtime-dir.ts';
import { type StatePaths, statePaths } from './state-dir.ts';
import { assertStateNotNewer, backUpOlderState, STATE_VERSION } from './state-version.ts';

const NEXT = STATE_VERSION + 1;
let root: string;
let paths: StatePaths;
let lines: string[];
beforeEach(() => {
  root = makeMemoryDir('lictor-version-');
  paths = statePaths(root, join(root, 'rt'));
  lines = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const backUp = (next?: number) =>
  backUpOlderState({ paths, storeAt: paths.storeFile, now: () => 0, log: (line) => lines.push(line), ...(next !== undefined && { version: next }) });
const version = () => readFileSync(paths.version, 'utf8').trim();

/** A state directory of the first layout, without a version file: tables with something in them, a write-ahead log not folded in. */
function oldState(): DatabaseSync {
  const db = new DatabaseSync(paths.storeFile);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE tokens (name TEXT); INSERT INTO tokens VALUES ('etl')");
  writeFileSync(paths.configInUse, 'mode: enforce\n');
  return db;
}

function tokensIn(file: string): unknown[] {
  using db = new DatabaseSync(file, { readOnly: true });
  return db
    .prepare('SELECT name FROM tokens')
    .all()
    .map((row) => row['name']);
}

describe('a state directory that a command created', () => {
  it('has the version of this Lictor: the first start makes no copy', async () => {
    const made = prepareStateDir(root);
    new DatabaseSync(made.storeFile).close();
    await backUp();
    expect([version(), existsSync(paths.backup), lines]).toEqual([String(STATE_VERSION), false, []]);
    removeRuntimeDir(made);
  });

  it('gets no version if it holds a database already; its first start writes the first version', async () => {
    oldState().close();
    removeRuntimeDir(prepareStateDir(root));
    expect(existsSync(paths.version)).toBe(false);
    await backUp();
    expect([version(), existsSync(paths.backup)]).toEqual(['1', false]);
  });
});

describe('an older state directory', () => {
  it('is copied whole, and has the new version; a second start makes no copy', async () => {
    using db = oldState();
    await backUp(NEXT);
    expect(version()).toBe(String(NEXT));
    const [copy = ''] = readdirSync(paths.backup);
    expect(copy).toMatch(/^v1-1970/);
    expect(lines[0]).toContain(join(paths.backup, copy));
    expect(tokensIn(join(paths.backup, copy, 'lictor.db'))).toEqual(['etl']);
    expect(readFileSync(join(paths.backup, copy, basename(paths.configInUse)), 'utf8')).toBe('mode: enforce\n');
    expect(statSync(join(paths.backup, copy)).mode & 0o077).toBe(0);
    expect(statSync(join(paths.backup, copy, 'lictor.db')).mode & 0o077).toBe(0);
    await backUp(NEXT);
    expect(readdirSync(paths.backup)).toHaveLength(1);
    db.close();
  });

  it('that cannot be copied is not changed', async () => {
    oldState().close();
    writeFileSync(paths.backup, 'in the way');
    await expect(backUp(NEXT)).rejects.toMatchObject({ code: 'state-backup-failed', message: expect.stringContaining('nothing was changed') });
    expect(existsSync(paths.version)).toBe(false);
  });

  it('of which one database cannot be copied leaves no copy, and is not changed', async () => {
    oldState().close();
    writeFileSync(paths.ledgerFile, 'no database, '.repeat(100));
    await expect(backUp(NEXT)).rejects.toMatchObject({ code: 'state-backup-failed' });
    expect([readdirSync(paths.backup), existsSync(paths.version)]).toEqual([[], false]);
  });
});

it('rejects a newer state directory in every command, with what to do, before it creates anything', () => {
  writeFileSync(paths.version, '999\n');
  expect(() => prepareStateDir(root)).toThrow(
    expect.objectContaining({ code: 'state-newer', message: expect.stringMatching(/version 999 .* up to 1: run the newer Lictor/) }),
  );
  expect([readdirSync(root), version()]).toEqual([['version'], '999']);
});

it('rejects a version file without a number, and accepts the version of this Lictor', () => {
  writeFileSync(paths.version, 'one\n');
  expect(() => assertStateNotNewer(paths.version)).toThrow(expect.objectContaining({ code: 'state-dir-unusable' }));
  writeFileSync(paths.version, `${STATE_VERSION}\n`);
  expect(() => assertStateNotNewer(paths.version)).not.toThrow();
  removeRuntimeDir(prepareStateDir(root));
});
