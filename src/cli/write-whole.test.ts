import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { whyNotWritten, writeWhole } from './write-whole.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'write-whole-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('writes every line with the mode that is asked for, in the place of what was there', () => {
  const file = join(dir, 'file');
  writeFileSync(file, 'a longer text than the next one', { mode: 0o644 });
  writeWhole(file, 0o600, ['a', 'b']);
  expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual(['a\nb\n', 0o600]);
});

it('leaves what was there as it is when the lines end in an error, and nothing beside it', () => {
  const file = join(dir, 'file');
  writeFileSync(file, 'kept');
  function* broken() {
    yield 'a';
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  }
  expect(() => writeWhole(file, 0o600, broken())).toThrow(/file was not written: Its disk is full/);
  expect([readFileSync(file, 'utf8'), readdirSync(dir)]).toEqual(['kept', ['file']]);
});

it('says in words what stands in the way', () => {
  mkdirSync(join(dir, 'folder'));
  writeFileSync(join(dir, 'file'), '');
  expect(() => writeWhole(join(dir, 'no', 'file'), 0o600, [])).toThrow(/the directory \S+\/no is not there/);
  expect(() => writeWhole(join(dir, 'folder'), 0o600, [])).toThrow('it is a directory');
  expect(() => writeWhole(join(dir, 'file', 'file'), 0o600, [])).toThrow('a file and no directory');
  expect(whyNotWritten(Object.assign(new Error('EACCES'), { code: 'EACCES' }), join(dir, 'file'))).toBe(`this user may not write to ${dir}.`);
  expect(existsSync(join(dir, 'no'))).toBe(false);
});

it('writes to a device, and does not put a file in its place', () => {
  writeWhole('/dev/null', 0o600, ['a']);
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  expect(() => writeWhole('/dev/full', 0o600, ['a'])).toThrow('Its disk is full');
  expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
});
