// A separate TCP port for a program that a test starts later, or more than once.
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isAlive } from '../../src/operations/supervise/processes/process-table.ts';

/** Below Linux's own choice for connections that go out (32768 and more): one of those would take it while nobody listens there. */
const FIRST = 20_000;
const LAST = 32_767;

/** On loopback. No other process that asks here is given it while this one lives: what begins at the same time does not meet there. */
export async function freePort(): Promise<number> {
  using taken = openTaken();
  for (;;) {
    const port = randomInt(FIRST, LAST + 1);
    if (take(taken, port) && (await isFree(port))) return port;
  }
}

function openTaken(): DatabaseSync {
  const taken = new DatabaseSync(join(tmpdir(), `lictor-test-ports-${process.getuid?.() ?? ''}.db`), { timeout: 30_000 });
  taken.exec('PRAGMA synchronous = OFF; CREATE TABLE IF NOT EXISTS taken (port INTEGER PRIMARY KEY, pid INTEGER NOT NULL)');
  return taken;
}

/** False: a process that lives has it. */
function take(taken: DatabaseSync, port: number): boolean {
  taken.exec('BEGIN IMMEDIATE');
  try {
    const owner = taken.prepare('SELECT pid FROM taken WHERE port = ?').get(port)?.['pid'];
    const isOurs = typeof owner !== 'number' || !isAlive(owner);
    if (isOurs) taken.prepare('INSERT OR REPLACE INTO taken (port, pid) VALUES (?, ?)').run(port, process.pid);
    return isOurs;
  } finally {
    taken.exec('COMMIT');
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
