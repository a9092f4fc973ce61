// Log rotation by size under load, with a real nginx: every request is in the ledger, and none twice.
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Ledger, startLedger } from '../../src/record/ledger/ledger.ts';
import { openLedgerReader } from '../../src/record/ledger/query.ts';
import { signalProcess } from '../env/process.ts';
import { type StubEdge, startStubEdge, waitFor } from '../env/stub-edge.ts';

const LIMIT = 600_000;
const ROTATIONS = 5;

let edge: StubEdge;
let ledger: Ledger;
const logs = new Set<string>();
const signals = { sent: 0 };

/** Each request has its record, though nobody is known. */
const EVERY_ONE = { perAddress: Infinity, inAll: Infinity, addresses: 1 };

beforeAll(async () => {
  edge = await startStubEdge();
  // As a state directory must be where nginx's workers are another user.
  chmodSync(dirname(edge.paths.root), 0o711);
  ledger = await startLedger({ paths: edge.paths, node: 'n1', clock: Date.now, rotate: { accessBytes: LIMIT, errorBytes: LIMIT }, floods: EVERY_ONE });
  ledger.onReopen(() => {
    signals.sent += 1;
    signalProcess(Number(readFileSync(edge.paths.nginxPid, 'utf8')), 'SIGUSR1');
  });
});
afterAll(async () => {
  await ledger?.close();
  await edge?.stop();
});

/** Refused by nginx itself: as fast as it can, and one access line each. Resolves with the request id. */
function ask(agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(`${edge.url}/api//flows`, { agent }, (response) => {
      response.resume().once('end', () => resolve(String(response.headers['x-request-id'])));
    });
    request.once('error', reject);
  });
}

function currentLog(): string {
  const stats = statSync(edge.paths.accessLog, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? '' : `${stats.ino} ${stats.birthtimeNs}`;
}

/** A log is renamed when the one before it is read to its end: the flood waits for a reader that this machine leaves no time. */
async function readerKeepsUp(): Promise<void> {
  const size = (): number => statSync(edge.paths.accessLog, { throwIfNoEntry: false })?.size ?? 0;
  if (size() > 2 * LIMIT) await waitFor(() => size() <= 2 * LIMIT, { what: 'the log to be renamed', timeoutMs: 60_000, everyMs: 50 });
}

async function recordedIds(): Promise<readonly (string | null)[]> {
  const reader = openLedgerReader(edge.paths.ledgerFile);
  const ids: (string | null)[] = [];
  for await (const record of reader.audit({})) if (record.request_id !== null) ids.push(record.request_id);
  reader.close();
  return ids;
}

it('loses no line and doubles none over five rotations at thousands of lines a second', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const asked: string[] = [];
  const loop = async (): Promise<void> => {
    while (logs.size <= ROTATIONS) {
      await readerKeepsUp();
      asked.push(await ask(agent));
      logs.add(currentLog());
      logs.delete('');
    }
  };
  await Promise.all(Array.from({ length: 16 }, loop));
  agent.destroy();
  const wanted = new Set(asked);
  await waitFor(async () => (await recordedIds()).filter((id) => id !== null && wanted.has(id)).length >= wanted.size, {
    what: `${wanted.size} records`,
    timeoutMs: 60_000,
    everyMs: 500,
  }).catch(() => undefined);
  const ids = await recordedIds();
  const seen = new Set(ids);
  expect([...wanted].filter((id) => !seen.has(id))).toEqual([]);
  expect(ids.length).toBe(seen.size);
  expect(statSync(`${edge.paths.accessLog}.1`).size).toBeGreaterThanOrEqual(LIMIT);
  const oneMore = async (): Promise<void> => {
    const id = await ask(new Agent());
    await waitFor(async () => (await recordedIds()).includes(id), { what: 'one more record', everyMs: 300 });
  };
  // A record from the present file: the last rotation is over. Three looks later nobody has signalled nginx again.
  await oneMore();
  const quiet = signals.sent;
  for (const _look of [1, 2, 3]) await oneMore();
  expect(signals.sent).toBe(quiet);
  expect(signals.sent).toBeGreaterThanOrEqual(ROTATIONS);
});
