import { writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { diskTrouble, isLocked } from './disk.ts';

function thrownBy(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

it('a full disk is recognised by the error of the system, and by that of SQLite', () => {
  expect(diskTrouble(thrownBy(() => writeFileSync('/dev/full', 'x')))).toContain('free some space');
  using db = new DatabaseSync(':memory:');
  db.exec('PRAGMA max_page_count = 3; CREATE TABLE t (text)');
  expect(diskTrouble(thrownBy(() => db.exec("INSERT INTO t VALUES (printf('%.*c', 20000, 'x'))")))).toContain('free some space');
});

it('a forbidden write is recognised too, with its extended codes', () => {
  using db = new DatabaseSync(':memory:');
  db.exec('CREATE TABLE t (text); PRAGMA query_only = on');
  expect(diskTrouble(thrownBy(() => db.exec('INSERT INTO t VALUES (1)')))).toContain('owner');
  expect(diskTrouble(Object.assign(new Error('disk I/O error'), { errcode: 778 }))).toContain('kernel');
});

it('nothing else is taken for the disk', () => {
  using db = new DatabaseSync(':memory:');
  expect(diskTrouble(thrownBy(() => db.exec('INSERT INTO nowhere VALUES (1)')))).toBeUndefined();
  expect(diskTrouble(thrownBy(() => writeFileSync('/dev/null/x', 'x')))).toBeUndefined();
  expect(diskTrouble('ENOSPC')).toBeUndefined();
});

it('a file that another process writes to is locked, also while that one recovers; a full disk is not', () => {
  const failed = (errcode: number) => Object.assign(new Error('database is locked'), { errcode });
  expect([5, 261, 13].map((code) => isLocked(failed(code)))).toEqual([true, true, false]);
  expect(diskTrouble(failed(5))).toBeUndefined();
});
