import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeDirectory } from './write-directory.ts';

const MODES = { directory: 0o700, file: 0o600 };
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'write-directory-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const broken = [
  ['a', '1'],
  ['no/such', '2'],
] as const;

it('makes the directory and every file, for their owner', () => {
  writeDirectory(join(dir, 'x', 'y'), [['a', '1']], MODES);
  const [folder, file] = [join(dir, 'x', 'y'), join(dir, 'x', 'y', 'a')];
  expect([readFileSync(file, 'utf8'), statSync(folder).mode & 0o777, statSync(file).mode & 0o777]).toEqual(['1', 0o700, 0o600]);
});

it('leaves nothing of half a set, and no directory that it made', () => {
  expect(() => writeDirectory(join(dir, 'x', 'y'), broken, MODES)).toThrow('was not written');
  expect(readdirSync(dir)).toEqual([]);
});

it('leaves what was there before: the directory, and a file whose name it wanted', () => {
  mkdirSync(join(dir, 'x'));
  expect(() => writeDirectory(join(dir, 'x'), broken, MODES)).toThrow('was not written');
  expect(readdirSync(join(dir, 'x'))).toEqual([]);
  writeFileSync(join(dir, 'x', 'b'), 'of somebody else');
  const taken = [
    ['a', '1'],
    ['b', '2'],
  ] as const;
  expect(() => writeDirectory(join(dir, 'x'), taken, MODES)).toThrow('was not written');
  expect([readdirSync(join(dir, 'x')), readFileSync(join(dir, 'x', 'b'), 'utf8')]).toEqual([['b'], 'of somebody else']);
});

it('says in words that a part of the path is a file', () => {
  writeFileSync(join(dir, 'file'), '');
  expect(() => writeDirectory(join(dir, 'file', 'y'), [], MODES)).toThrow('a file and no directory');
});

it.runIf(process.getuid?.() === 0)('says which directory is closed to this user: the one that is there', () => {
  mkdirSync(join(dir, 'closed', 'empty'), { recursive: true });
  chmodSync(dir, 0o711);
  process.seteuid?.(65_534);
  try {
    const file = [['a', '1']] as const;
    expect(() => writeDirectory(join(dir, 'closed', 'empty'), file, MODES)).toThrow(`may not write to ${join(dir, 'closed', 'empty')}.`);
    expect(() => writeDirectory(join(dir, 'closed', 'x', 'y'), file, MODES)).toThrow(`may not write to ${join(dir, 'closed')}.`);
  } finally {
    process.seteuid?.(0);
  }
});
