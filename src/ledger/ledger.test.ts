import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../config/state-dir.ts';
import { systemClock } from '../contract/clock.ts';
import type { LedgerRecord } from '../contract/record.ts';
import { type Ledger, startLedger } from './ledger.ts';
import { accessLine, FLOW_RUN, tempState } from './lines.fixture.ts';
import { openLedgerReader } from './query.ts';

describe('ledger', () => {
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

  const start = (): Promise<Ledger> => startLedger({ paths, node: 'n1', clock: systemClock });

  function host(name: string): ChildProcess {
    const child = fork(new URL('./host.fixture.ts', import.meta.url), [paths.ledgerFile, paths.ledgerKey, paths.accessLog, paths.edgeErrorLog, name], {
      execArgv: [],
    });
    children.push(child);
    return child;
  }

  async function records(): Promise<LedgerRecord[]> {
    const reader = openLedgerReader(paths.ledgerFile);
    const all: LedgerRecord[] = [];
    for await (const record of reader.audit({})) all.push(record);
    reader.close();
    return all;
  }

  it('drains the access log when it closes', async () => {
    const ledger = await start();
    appendFileSync(paths.accessLog, `${accessLine('r1')}\n${accessLine('r2')}\n`);
    await ledger.close();
    expect((await records()).filter((record) => record.request_id !== null)).toHaveLength(2);
  });

  it('follows the access log by itself', async () => {
    const ledger = await start();
    const reader = openLedgerReader(paths.ledgerFile);
    const stop = new AbortController();
    const following = reader.audit({ flowRun: FLOW_RUN, follow: { signal: stop.signal } })[Symbol.asyncIterator]();
    const next = following.next();
    appendFileSync(paths.accessLog, `${accessLine('r1')}\n`);
    expect((await next).value).toMatchObject({ request_id: 'r1' });
    stop.abort();
    expect((await following.next()).done).toBe(true);
    reader.close();
    await ledger.close();
  });

  it('refuses what comes after it was closed', async () => {
    const ledger = await start();
    await ledger.close();
    await expect(ledger.append({ time: new Date().toISOString() })).rejects.toMatchObject({ code: 'ledger-unavailable' });
  });

  it('passes on what a caller did wrong, and stays healthy', async () => {
    const ledger = await start();
    await expect(ledger.settle('nobody', {})).rejects.toMatchObject({ code: 'ledger-intent-missing' });
    expect([ledger.healthy(), ledger.problem()]).toEqual([true, null]);
    await ledger.close();
  });

  it('starts unhealthy, and refuses, where the file cannot be opened', async () => {
    const ledger = await startLedger({ paths: { ...paths, ledgerFile: paths.log }, node: 'n1', clock: systemClock });
    expect(ledger.healthy()).toBe(false);
    await expect(ledger.append({ time: new Date().toISOString() })).rejects.toMatchObject({ code: 'ledger-unavailable' });
    await ledger.close();
  });

  it('starts its thread again when that dies, and what was on its way can still be settled', async () => {
    const ledger = await startLedger({ paths, node: 'n1', clock: systemClock, workerFile: new URL('./crash.fixture.ts', import.meta.url) });
    const health: boolean[] = [];
    const healthyAgain = new Promise<void>((resolve) => {
      ledger.onHealth((healthy) => {
        health.push(healthy);
        if (healthy) resolve();
      });
    });
    const time = new Date().toISOString();
    await ledger.intend({ time, request_id: 'm1' });
    await expect(ledger.append({ time, action: 'crash' })).rejects.toMatchObject({ code: 'ledger-unavailable' });
    await healthyAgain;
    await ledger.settle('m1', { status: 201 });
    await ledger.close();
    expect(health).toEqual([false, true]);
    const all = await records();
    expect(all.map(({ action, request_id, status }) => action ?? [request_id, status])).toEqual(['gateway.started', ['m1', 201], 'gateway.stopped']);
  });

  it('writes the outcomes that its thread did not live to write, and those that come before the next one is there', async () => {
    const ledger = await startLedger({ paths, node: 'n1', clock: systemClock, workerFile: new URL('./crash.fixture.ts', import.meta.url) });
    let ended = (): void => undefined;
    const hasEnded = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const healthyAgain = new Promise<void>((resolve) => ledger.onHealth((healthy) => (healthy ? resolve() : ended())));
    const time = new Date().toISOString();
    await ledger.intend({ time, request_id: 'm1' });
    await ledger.intend({ time, request_id: 'm2' });
    const unavailable = { code: 'ledger-unavailable' };
    const crash = expect(ledger.append({ time, action: 'crash' })).rejects.toMatchObject(unavailable);
    // Behind it in the same queue.
    await expect(ledger.settle('m1', { status: 201 })).rejects.toMatchObject(unavailable);
    await crash;
    await hasEnded;
    await expect(ledger.settle('m2', { status: 202 })).rejects.toMatchObject(unavailable);
    await healthyAgain;
    // What is asked for now comes behind them.
    await ledger.append({ time, action: 'later' });
    const outcomes = async () => (await records()).map(({ action, request_id, status }) => action ?? [request_id, status]);
    expect(await outcomes()).toEqual(['gateway.started', ['m1', 201], ['m2', 202], 'later']);
    await ledger.close();
  });

  it('takes an outcome however much waits', async () => {
    const ledger = await start();
    const time = new Date().toISOString();
    await ledger.intend({ time, request_id: 'm1' });
    const waiting = Array.from({ length: 10_000 }, () => ledger.append({ time, action: 'one of many' }));
    await expect(ledger.append({ time })).rejects.toMatchObject({ code: 'ledger-unavailable' });
    await ledger.settle('m1', { status: 201 });
    await Promise.all(waiting);
    await ledger.close();
    expect((await records()).filter(({ request_id }) => request_id === 'm1')).toMatchObject([{ status: 201 }]);
  });

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
    await (await start()).close();

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
    await (await start()).close();

    const all = await records();
    const ids = all.flatMap((record) => record.request_id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => id.startsWith('line-'))).toHaveLength(500);
    for (const what of heard.filter((each) => each.startsWith('append '))) expect(ids).toContain(what.replace('append ', 'append-'));
    expect(all.filter(({ action }) => action === 'ledger.recovered').length).toBeGreaterThan(0);
  });
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
