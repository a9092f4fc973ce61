import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openChain } from './chain/open-chain.ts';
import { openLedgerDatabase } from './database.ts';
import { openLedgerReader } from './query.ts';

let dir = '';
let file = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lictor-read-'));
  file = join(dir, 'ledger.db');
  openLedgerDatabase(file).close();
});
afterEach(() => {
  chmodSync(dir, 0o700);
  rmSync(dir, { recursive: true });
});

function asVersion(version: number): void {
  using db = new DatabaseSync(file);
  db.exec(`PRAGMA user_version = ${version}`);
}

const NOBODY = 65_534;

/** Root may read everything: it is another user meanwhile. */
function asAnother<T>(work: () => T): T {
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(NOBODY);
  try {
    return work();
  } finally {
    if (root) process.seteuid?.(0);
  }
}

describe.each([
  ['the records', openLedgerReader],
  ['the chain', openChain],
])('a ledger that is opened to read %s', (_what, open) => {
  it('is open to its user, and to another one only where the modes let them in', () => {
    open(file).close();
    chmodSync(file, 0o000);
    chmodSync(dir, 0o711);
    expect(() => asAnother(() => open(file))).toThrow(
      expect.objectContaining({ code: 'ledger-unreadable', message: expect.stringContaining('user of the gateway') }),
    );
    chmodSync(dir, 0o000);
    expect(() => asAnother(() => open(file))).toThrow(expect.objectContaining({ code: 'ledger-unreadable' }));
  });

  it('is missing where there is none, which is another thing', () => {
    expect(() => open(join(dir, 'none'))).toThrow(expect.objectContaining({ code: 'ledger-missing' }));
    // Another process has just begun to create it.
    new DatabaseSync(join(dir, 'begun')).close();
    expect(() => open(join(dir, 'begun'))).toThrow(expect.objectContaining({ code: 'ledger-missing' }));
  });

  it('is refused with what to do if a newer Lictor has written it', () => {
    asVersion(999);
    expect(() => open(file)).toThrow(expect.objectContaining({ code: 'state-newer', message: expect.stringContaining('run the newer Lictor') }));
  });
});

it('a ledger of a newer Lictor is not opened for writing, and not changed', () => {
  asVersion(999);
  expect(() => openLedgerDatabase(file)).toThrow(expect.objectContaining({ code: 'state-newer' }));
  using db = new DatabaseSync(file);
  expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: 999 });
});
