// Twenty runs call a service of 50 ms at once, one of them greedily: it waits and is refused, the others feel little of it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BegunRun, runsFrom } from '../env/begun-runs.ts';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { directTo, sharedPrefect } from '../env/prefect.ts';
import { type ServiceProcess, startServiceProcess } from '../env/service-process.ts';
import { type Called, type Client, openClient, p95 } from '../integration/services/fair.ts';

const RUNS = 20;
const SECONDS = 10;
const ROUNDS = 3;
const LIMIT = { rate: '50/s', burst: 10, max_wait: '2s' };
const [PER_SECOND, AT_ONCE, WAITING] = [50, 10, 100];
const OTHERS = { perSecond: 2, count: 2 * SECONDS };
const GREEDY = { perSecond: 500, count: 500 * SECONDS };

const prefect = sharedPrefect();
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-fair-'));
let slow: ServiceProcess;
let gateway: Gateway;
let client: Client;
let runs: readonly BegunRun[];

beforeAll(async () => {
  slow = await startServiceProcess('slow', { delayMs: 50 });
  writeFileSync(join(directory, 'services.cedar'), '@id("runs-call")\npermit (principal in Role::"run", action == Action::"services.call", resource);\n');
  gateway = await startGateway({
    upstream: prefect,
    config: { policies: directory, services: [{ name: 'slow', servers: [slow.url], limit: LIMIT }] },
  });
  const worker = (await gateway.token('etl', ['deployer', 'worker'])).secret;
  const begin = await runsFrom({ gateway, server: directTo(prefect), worker, name: `fair-${Date.now().toString(36)}` });
  const begun: BegunRun[] = [];
  while (begun.length < RUNS) begun.push(await begin(`run-${begun.length}`));
  runs = begun;
  client = openClient(gateway, '/.lictor/svc/slow/x');
}, 240_000);
afterAll(async () => {
  await client?.close();
  await gateway?.close();
  await slow?.stop();
  rmSync(directory, { recursive: true });
});

const others = async (): Promise<readonly Called[]> => {
  const [, ...rest] = runs;
  return (await Promise.all(rest.map(({ token }) => client.paced(token, OTHERS)))).flat();
};
const times = (calls: readonly Called[]) => p95(calls.map(({ ms }) => ms));

it('the greedy one is delayed and then refused; the 95th percentile of the others is within 1.5 of their time without it', async () => {
  // What is looked up of a run at its first call is no part of it.
  await others();
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const solo = await others();
    const [greedy, fair] = await Promise.all([client.paced(runs[0]?.token ?? '', GREEDY), others()]);
    for (const { status } of [...solo, ...fair]) expect(status).toBe(200);
    expectHeldBack(greedy);
    ratios.push(times(fair) / times(solo));
    process.stderr.write(`others: 95th percentile ${times(solo).toFixed(1)} ms alone, ${times(fair).toFixed(1)} ms beside the greedy one\n`);
  }
  const [, median = Number.NaN] = ratios.toSorted((a, b) => a - b);
  expect(median, ratios.join(' ')).toBeLessThanOrEqual(1.5);
}, 300_000);

function expectHeldBack(calls: readonly Called[]): void {
  const passed = calls.filter(({ status }) => status === 200);
  const refused = calls.filter(({ status }) => status === 429);
  expect(passed.length + refused.length).toBe(calls.length);
  expect(Math.max(...passed.map(({ ms }) => ms))).toBeGreaterThan(1_000);
  const wait = Math.max(...passed.map(({ ms }) => ms)) / 1000;
  expect(passed.length).toBeLessThanOrEqual(AT_ONCE + WAITING + PER_SECOND * (SECONDS + wait + 5));
  expect(passed.length).toBeGreaterThanOrEqual(AT_ONCE + WAITING);
  expect(refused.length).toBeGreaterThan(calls.length / 2);
  for (const { retryAfter } of refused) expect(retryAfter).toMatch(/^[1-9][0-9]*$/);
  // Delayed first, then refused.
  expect(calls.findIndex(({ status }) => status === 429)).toBeGreaterThanOrEqual(AT_ONCE);
}
