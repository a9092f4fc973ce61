// A ledger whose process is killed, or has a full disk: nothing that was promised is lost, and nothing is there twice.
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../../src/config/state-dir.ts';
import { systemClock } from '../../src/contract/clock.ts';
import type { LedgerRecord } from '../../src/contract/record.ts';
import { createAppend } from '../../src/record/ledger/append.ts';
import { NODE, START_MS, verifyStore, writeRecords } from '../../src/record/ledger/chain/chain.fixture.ts';
import { createChain } from '../../src/record/ledger/chain/chain.ts';
import { createRetention } from '../../src/record/ledger/chain/retention.ts';
import { openLedgerDatabase, transaction } from '../../src/record/ledger/database.ts';
import { startLedger } from '../../src/record/ledger/ledger.ts';
import { accessLine, tempState } from '../../src/record/ledger/lines.fixture.ts';
import { openLedgerReader } from '../../src/record/ledger/query.ts';

const HOST = new URL('../../src/record/ledger/host.fixture.ts', import.meta.url);
const PRUNER = new URL('../../src/record/ledger/chain/prune-child.fixture.ts', import.meta.url);
const DAY_MS = 86_400_000;

let paths: StatePaths;
let remove: () => void;
let children: ChildProcess[];
beforeEach(() => {
  ({ paths, remove } = tempState());
  children = [];
});
afterEach(async () => {
  for (const child of children) await kill(child);
  remove();
});

function begin(program: URL, ...args: string[]): ChildProcess {
  const child = fork(program, args, { execArgv: [] });
  children.push(child);
  return child;
}

const host = (name: string) => begin(HOST, paths.ledgerFile, paths.ledgerKey, paths.accessLog, paths.edgeErrorLog, name);

/** What a restart makes of what is there. */
const restart = async () => (await startLedger({ paths, node: 'n1', clock: systemClock })).close();

async function records(): Promise<LedgerRecord[]> {
  const reader = openLedgerReader(paths.ledgerFile);
  const all: LedgerRecord[] = [];
  for await (const record of reader.audit({})) all.push(record);
  reader.close();
  return all;
}

/** What the next process does, a day of records at a time. */
function prune(nowMs: number, times: number): void {
  using db = openLedgerDatabase(paths.ledgerFile);
  db.exec("DELETE FROM meta WHERE key = 'believed_ms'");
  const chain = createChain({ db, node: NODE, keyFile: paths.ledgerKey, clock: () => nowMs });
  const retention = createRetention({ db, chain, appendRow: createAppend(db, NODE, chain), retentionMs: DAY_MS });
  for (let time = 0; time < times; time += 1) {
    transaction(db, () => {
      retention.step(nowMs);
      chain.seal();
    });
  }
}

const oldest = async () => Math.min(...(await records()).map(({ seq }) => seq));

describe('ledger', () => {
  it('loses and doubles nothing when its process is killed at any moment', { timeout: 120_000 }, async () => {
    const promised: string[] = [];
    let lines = 0;
    for (let round = 0; round < 12; round += 1) {
      const child = host(`round${round}`);
      const killAfter = 1 + Math.floor(Math.random() * 60);
      let heard = 0;
      await new Promise<void>((resolve) => {
        child.on('message', (what) => {
          promised.push(String(what));
          // Lines arrive in pieces that end anywhere, and go on while nobody reads.
          const text = [0, 1, 2].map(() => `${accessLine(`line-${lines++}`)}\n`).join('');
          const cut = Math.floor(Math.random() * text.length);
          appendFileSync(paths.accessLog, text.slice(0, cut));
          heard += 1;
          if (heard === killAfter) child.kill('SIGKILL');
          appendFileSync(paths.accessLog, text.slice(cut));
        });
        child.once('exit', () => resolve());
      });
    }
    await restart();

    const all = await records();
    const ids = all.flatMap((record) => record.request_id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => id.startsWith('line-'))).toHaveLength(lines);
    for (const what of promised) expect(ids).toContain(what.startsWith('append') ? what.replace('append ', 'append-') : what.replace(/^\w+ /, 'intent-'));
    const settled = new Set(promised.filter((what) => what.startsWith('settle ')).map((what) => what.replace('settle ', 'intent-')));
    for (const record of all.filter(({ request_id }) => settled.has(request_id ?? ''))) expect(record).toMatchObject({ status: 201, reason: null });
    expect(all.filter(({ reason }) => reason === 'outcome-unknown').length).toBeGreaterThan(0);
    expect(all.filter(({ reason }) => reason === 'line-unreadable')).toEqual([]);
    expect(all.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(all.map((_, index) => index + 1));
    expect(all.filter(({ resource_id }) => resource_id === 'unclean')).toHaveLength(12);
  });

  it.skipIf(!hasPrlimit())('stands a full disk: refuses, recovers, and has every line', { timeout: 60_000 }, async () => {
    const child = host('full');
    const heard: string[] = [];
    child.on('message', (what) => heard.push(String(what)));
    const until = async (what: string) => {
      while (!heard.includes(what)) await once(child, 'message');
    };
    await until('intend full-0-a');
    // The soft limit of the size of a file is the full disk: it works for root too, and can be lifted again.
    execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=200000:unlimited']);
    await until('unhealthy');
    appendFileSync(paths.accessLog, Array.from({ length: 500 }, (_, index) => `${accessLine(`line-${index}`)}\n`).join(''));
    execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:unlimited']);
    await until('healthy');
    await kill(child);
    await restart();

    const all = await records();
    const ids = all.flatMap((record) => record.request_id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => id.startsWith('line-'))).toHaveLength(500);
    for (const what of heard.filter((each) => each.startsWith('append '))) expect(ids).toContain(what.replace('append ', 'append-'));
    expect(all.filter(({ action }) => action === 'ledger.recovered').length).toBeGreaterThan(0);
  });
});

describe('retention', () => {
  it('a process that is killed in the middle leaves a ledger that is whole; the next one goes on', async () => {
    writeRecords(paths, 400, { perTransaction: 100, stepMs: 3_600_000 });
    writeRecords(paths, 10, { startMs: START_MS + 8 * DAY_MS });
    const nowMs = START_MS + 9 * DAY_MS;
    for (let kill = 0; kill < 4; kill += 1) {
      const pruning = begin(PRUNER, paths.ledgerFile, paths.ledgerKey, String(nowMs), '25');
      for (let step = 0; step < 8 + kill; step += 1) await once(pruning, 'message');
      pruning.kill('SIGKILL');
      await once(pruning, 'exit');
      const { problems, pruned } = verifyStore(paths);
      expect(problems).toEqual([]);
      expect(await oldest()).toBe((pruned[0]?.upTo ?? 0) + 1);
    }
    prune(nowMs, 20);
    expect(await oldest()).toBe(401);
    expect(verifyStore(paths)).toMatchObject({ problems: [], pruned: [{ upTo: 400 }] });
  }, 60_000);
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function hasPrlimit(): boolean {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
