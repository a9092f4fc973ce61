import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { NewRecord } from '../contract/record.ts';
import { tempState } from '../record/ledger/lines.fixture.ts';
import { createDiskWatch, rotateControlLog, type Space, spaceAt } from './housekeeping.ts';

const GIB = 1 << 30;
let state: ReturnType<typeof tempState>;
beforeEach(() => {
  state = tempState();
});
afterEach(() => state.remove());

it('renames a large log; the writer goes on in a new one and no line is lost', () => {
  const file = state.paths.controlLog;
  const destination = pino.destination({ dest: file, sync: true });
  const log = pino({ base: null }, destination);
  for (let line = 0; line < 30; line += 1) {
    log.info(`line ${line}.`);
    rotateControlLog(file, () => destination.reopen(), 1000);
  }
  const text = readFileSync(`${file}.1`, 'utf8') + readFileSync(file, 'utf8');
  expect(text).toContain('line 29.');
  expect(readFileSync(file, 'utf8').length).toBeLessThan(1000);
});

it('leaves a small log unchanged, and opens a removed one again', () => {
  const file = state.paths.controlLog;
  let reopened = 0;
  appendFileSync(file, 'x');
  rotateControlLog(file, () => (reopened += 1), 1000);
  expect([reopened, existsSync(`${file}.1`)]).toEqual([0, false]);
  rmSync(file);
  rotateControlLog(file, () => (reopened += 1), 1000);
  expect(reopened).toBe(1);
});

it.each([
  ['a tenth', { freeBytes: 99 * GIB, totalBytes: 1000 * GIB }],
  ['one GiB', { freeBytes: GIB - 1, totalBytes: 2 * GIB }],
])('warns once when less than %s is free, and again after it had been enough', async (_what, scarce: Space) => {
  const enough = { freeBytes: 600 * GIB, totalBytes: 1000 * GIB };
  const [warnings, records]: [string[], NewRecord[]] = [[], []];
  let now: Space = enough;
  const look = createDiskWatch({
    paths: state.paths,
    space: () => now,
    now: () => 0,
    warn: (text) => warnings.push(text),
    record: async (record) => void records.push(record),
  });
  await look();
  expect(warnings).toEqual([]);
  for (const space of [scarce, scarce, enough, scarce]) {
    now = space;
    await look();
  }
  expect(warnings).toHaveLength(2);
  expect(warnings[0]).toContain(state.paths.root);
  expect(records[0]).toMatchObject({ action: 'gateway.disk_low', bytes: scarce.freeBytes });
});

it('reads the space of a real file system', () => {
  const { freeBytes, totalBytes } = spaceAt(state.paths.root);
  expect(totalBytes).toBeGreaterThan(0);
  expect(freeBytes).toBeLessThanOrEqual(totalBytes);
});
