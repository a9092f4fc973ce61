import { appendFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../../config/state-dir.ts';
import { systemClock } from '../../contract/clock.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { type Ledger, startLedger } from './ledger.ts';
import { accessLine, FLOW_RUN, tempState } from './lines.fixture.ts';
import { openLedgerReader } from './query.ts';

describe('ledger', () => {
  let paths: StatePaths;
  let remove: () => void;
  beforeEach(() => {
    ({ paths, remove } = tempState());
  });
  afterEach(() => remove());

  const start = (): Promise<Ledger> => startLedger({ paths, node: 'n1', clock: systemClock });

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

  it('follows the access log', async () => {
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
});
