// A run of 50,000 rows in Chromium: the first picture, scrolling, memory; then 200 rows a second for a minute in the timeline and in the search, none missing.
import { setTimeout as wait } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statePaths } from '../../src/config/state-dir.ts';
import type { NewRecord } from '../../src/contract/record.ts';
import { appendRecords } from '../../src/record/ledger/append-record.ts';
import { type Stack, startStack } from '../integration/console/stack.ts';

const RUN = '0199c0de-0000-7000-8000-00000000b160';
const ROWS = 50_000;
const LIVE_SECONDS = Math.min(60, Number(process.env['LICTOR_ENDURANCE_SECONDS'] ?? 60));
const PER_SECOND = 200;
const STEP_MS = 100;
const BEGIN_MS = Date.now() - 3_600_000;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
  for (let first = 0; first < ROWS; first += 1_000)
    append(Array.from({ length: 1_000 }, (_, index) => request(first + index, BEGIN_MS + (first + index) * 60)));
}, 300_000);
afterAll(async () => {
  expect(stack?.misdeeds()).toEqual([]);
  await stack?.close();
});

function append(records: readonly NewRecord[]): void {
  appendRecords(statePaths(stack.gateway.stateDir, ''), records);
}

/** Of many kinds, none of them routine. */
function request(number: number, ms: number): NewRecord {
  const isDenied = number % 50 === 0;
  const service = number % 7 === 0 ? { service: 'billing', path: `/.lictor/svc/billing/v1/invoices/${number}`, action: 'service.call' } : {};
  return {
    ...{ time: new Date(ms).toISOString(), request_id: `console-${number}`, principal: `token:worker-${number % 30}`, method: 'POST' },
    ...{ path: `/api/flow_runs/${RUN}/set_state`, action: 'flow_runs.set_state', path_taken: 'mediated', flow_run_id: RUN, run_binding: 'verified' },
    ...{ decision: isDenied ? 'deny' : 'allow', reason: isDenied ? 'policy-default-deny' : 'policy-permits', status: isDenied ? 403 : 201, duration_ms: 5 },
    ...service,
  };
}

/** Events of the gateway in the time of the run are rows too. The first line is the run. */
async function rowsOfLedger(): Promise<number> {
  return (await stack.gateway.lictorOk('timeline', RUN, '--json')).trim().split('\n').length - 1;
}

/** The rows that the page has, once it has them all. */
async function rowsShown(page: Page, count: number): Promise<void> {
  await page
    .getByRole('status')
    .filter({ hasText: new RegExp(`^${count.toLocaleString('en')} rows$`) })
    .waitFor();
}

const FIRST_ROW = `new Promise((done) => {
  const look = () => document.querySelector('[role=row][aria-rowindex]') === null ? requestAnimationFrame(look) : done(performance.now());
  look();
})`;

const SCROLL = `new Promise((done) => {
  const list = document.querySelector('[role=treegrid], [role=grid]');
  let frames = 0;
  const begin = performance.now();
  const frame = (now) => {
    frames += 1;
    list.scrollTop = (list.scrollTop + 240) % (list.scrollHeight - list.clientHeight);
    if (now - begin < 5000) requestAnimationFrame(frame);
    else done((frames / (now - begin)) * 1000);
  };
  requestAnimationFrame(frame);
})`;

async function heapMb(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize / 1e6;
}

describe.each(['', '?form=table'])('a run of 50,000 rows (%s)', (form) => {
  it('is drawn within a second, scrolls at 50 frames a second, and takes less than 300 MB', async () => {
    const page = await stack.open('admin', `/runs/${RUN}${form}`);
    const first = Number(await page.evaluate(FIRST_ROW));
    await rowsShown(page, ROWS);
    const whole = Number(await page.evaluate('performance.now()'));
    const frames = Number(await page.evaluate(SCROLL));
    const heap = await heapMb(page);
    const words = `first row ${first.toFixed(0)} ms, all rows ${whole.toFixed(0)} ms, ${frames.toFixed(1)} frames/s, heap ${heap.toFixed(0)} MB`;
    process.stderr.write(`${form || 'lanes'}: ${words}\n`);
    await stack.closePages();
    expect(first).toBeLessThan(1_000);
    expect(frames).toBeGreaterThan(50);
    expect(heap).toBeLessThan(300);
  });
});

/** As many as are due, ten times a second. Returns how many. */
async function writeSteadily(first: number): Promise<number> {
  const begin = performance.now();
  const perStep = (PER_SECOND * STEP_MS) / 1_000;
  let written = 0;
  while (written < LIVE_SECONDS * PER_SECOND) {
    append(Array.from({ length: perStep }, (_, index) => request(first + written + index, Date.now())));
    written += perStep;
    await wait(Math.max(0, begin + (written / PER_SECOND) * 1_000 - performance.now()));
  }
  return written;
}

it('shows every row of 200 a second', async () => {
  const page = await stack.open('admin', `/runs/${RUN}`);
  await rowsShown(page, ROWS);
  const begin = performance.now();
  const written = await writeSteadily(ROWS);
  const lasted = (performance.now() - begin) / 1_000;
  const count = await rowsOfLedger();
  expect(count).toBeGreaterThanOrEqual(ROWS + written);
  await rowsShown(page, count);
  const behind = (performance.now() - begin) / 1_000 - lasted;
  process.stderr.write(`${written} rows in ${lasted.toFixed(1)} s; all shown ${behind.toFixed(1)} s later; heap ${(await heapMb(page)).toFixed(0)} MB\n`);
});

it('the search that follows shows every record of 200 a second', async () => {
  const page = await stack.open('admin', `/search?${new URLSearchParams({ q: `run:${RUN}`, follow: '1' })}`);
  await page.getByRole('button', { name: 'Following' }).waitFor();
  const grid = page.getByRole('grid', { name: 'Records' });
  const shownFirst = Number(await grid.getAttribute('aria-rowcount'));
  const [begin, since] = [performance.now(), new Date().toISOString()];
  const written = await writeSteadily(2 * ROWS);
  const lasted = (performance.now() - begin) / 1_000;
  const inLedger = (await stack.gateway.lictorOk('audit', '--flow-run', RUN, '--since', since, '--json')).trim().split('\n').length;
  expect(inLedger).toBe(written);
  await page.locator(`table[role=grid][aria-rowcount="${shownFirst + inLedger}"]`).waitFor();
  const behind = (performance.now() - begin) / 1_000 - lasted;
  process.stderr.write(`${written} records in ${lasted.toFixed(1)} s; all shown ${behind.toFixed(1)} s later; heap ${(await heapMb(page)).toFixed(0)} MB\n`);
});
