import { appendFileSync, statSync, utimesSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { STATE_VERSION } from '../../../config/state-version.ts';
import { appendRecord } from '../../../record/ledger/append-record.ts';
import { openStore } from '../../../store/store.ts';
import { checkLedger, checkStore } from './databases.ts';
import { openTestState, type TestState } from './state.fixture.ts';

const NOW_MS = Date.parse('2026-01-01T00:10:00.000Z');

describe('databases', () => {
  let state: TestState;
  beforeEach(() => {
    state = openTestState();
  });
  afterEach(() => state.remove());

  it('reports the version of the store, a newer one, a store without tables, a damaged one, and none', async () => {
    const file = state.paths.storeFile;
    expect(await checkStore(file)).toMatchObject({ status: 'warn' });
    await (await openStore({ at: file, clock: () => 0 })).close();
    expect(await checkStore(file)).toMatchObject({ status: 'ok' });
    using db = new DatabaseSync(file);
    db.exec(`PRAGMA user_version = ${STATE_VERSION + 1}`);
    expect(await checkStore(file)).toMatchObject({ status: 'fail', remedy: expect.stringContaining('newer') });
    new DatabaseSync(`${file}.new`).close();
    expect(await checkStore(`${file}.new`)).toMatchObject({ status: 'fail', message: expect.stringContaining('it has no tables') });
    state.write(`${file}.broken`, 'no database, '.repeat(100));
    expect(await checkStore(`${file}.broken`)).toMatchObject({ status: 'fail', message: expect.stringContaining('cannot be read') });
  });

  it('says how old the newest record is', () => {
    expect(checkLedger(state.paths, NOW_MS)).toMatchObject({ status: 'warn' });
    appendRecord(state.paths, { time: '2026-01-01T00:00:00.000Z' });
    expect(checkLedger(state.paths, NOW_MS)).toMatchObject({ status: 'ok', message: expect.stringContaining('10 minutes old') });
  });

  it('names a ledger that is locked, or no database', () => {
    state.write(state.paths.ledgerFile, 'no database, '.repeat(100));
    expect(checkLedger(state.paths, NOW_MS)).toMatchObject({ status: 'fail', message: expect.stringContaining('cannot be written') });
  });

  it('names a ledger that is behind a log at rest, and not one that is being read', () => {
    appendRecord(state.paths, { time: '2026-01-01T00:00:00.000Z' });
    appendFileSync(state.paths.accessLog, '{}\n{}\n');
    const { ino } = statSync(state.paths.accessLog);
    using db = new DatabaseSync(state.paths.ledgerFile);
    db.prepare("INSERT INTO tails (file, inode, position, head) VALUES ('access', ?, 3, x'00')").run(String(ino));
    const at = (seconds: number) => utimesSync(state.paths.accessLog, seconds, seconds);
    at(NOW_MS / 1000 - 60);
    expect(checkLedger(state.paths, NOW_MS)).toMatchObject({ status: 'fail', message: expect.stringContaining('3 bytes') });
    at(NOW_MS / 1000 - 1);
    expect(checkLedger(state.paths, NOW_MS)).toMatchObject({ status: 'ok' });
  });
});
