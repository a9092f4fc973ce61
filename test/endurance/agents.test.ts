// Agents over MCP for long: another client feels little of a runaway agent, and ten minutes of reads need no more memory.
//
// LICTOR_ENDURANCE_SECONDS makes the reads shorter, to try them (120 at least): then only a coarse growth is seen.
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../env/free-port.ts';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { callTool } from '../env/mcp-call.ts';
import { startRunaway } from '../integration/agents/runaway.ts';
import { type Called, openClient } from '../integration/services/fair.ts';
import { slope, watchProcess } from './process-watch.ts';

const SECONDS = Math.min(600, Number(process.env['LICTOR_ENDURANCE_SECONDS'] ?? 600));
if (!(SECONDS >= 120)) throw new Error('LICTOR_ENDURANCE_SECONDS: 120 at least, or caches are still filled');
const WARM_MINUTES = SECONDS / 60 / 4;
/** A shorter run sees caches being filled and collections that are still to come. */
const MOST_MIB_PER_MINUTE = SECONDS >= 600 ? 1 : 30;
const READERS = 4;

const ROUNDS = 5;
const OTHERS = { perSecond: 100, count: 2000 };
const RUNAWAY_PER_SECOND = 100;
const WORST_RATIO = 1.2;

const ID = '00000000-0000-4000-8000-000000000001';
const DEPLOYMENTS = Array.from({ length: 20 }, (_, index) => ({ id: ID, flow_id: ID, name: `nightly-${index}`, tags: ['etl'], paused: false, schedules: [] }));
const SPONSOR = { sponsor: 'user:alice@local', credential: 'token', roles: [{ role: 'agent' }] };

let upstream: Server;
let gateway: Gateway;
let runaway: string;
let reader: string;
let viewer: string;

beforeAll(async () => {
  const port = await freePort();
  upstream = createServer((request, response) => {
    const body = request.url === '/api/deployments/filter' ? DEPLOYMENTS : request.url?.endsWith('/filter') === true ? [] : { id: ID };
    request.resume().once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)));
  });
  await new Promise<void>((resolve) => upstream.listen(port, '127.0.0.1', resolve));
  const agents = [
    { ...SPONSOR, name: 'runaway', budgets: { calls: '60/min', runs: '5/h', concurrent_runs: 5 } },
    { ...SPONSOR, name: 'reader', budgets: { calls: '999999/min', bytes: '999GB/h' } },
  ];
  gateway = await startGateway({
    upstream: { url: `http://127.0.0.1:${port}`, authString: 'gateway:endurance' },
    config: { agents, limits: [{ for: '*', rate: '5000/s', burst: 10_000 }] },
  });
  await gateway.account('alice', 'operator');
  runaway = (await gateway.token('runaway', [])).secret;
  reader = (await gateway.token('reader', [])).secret;
  viewer = (await gateway.token('viewer', ['viewer'])).secret;
});
afterAll(async () => {
  await gateway?.close();
  upstream?.closeAllConnections();
  upstream?.close();
});

it('the 99th percentile of another client is within 20 % of its time without the runaway agent', async () => {
  const client = openClient(gateway, `/api/flow_runs/${ID}`);
  const others = async (): Promise<number> => p99(await client.paced(viewer, OTHERS));
  await others();
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const alone = await others();
    const agent = startRunaway({ url: gateway.url, token: runaway, deployment: ID, perSecond: RUNAWAY_PER_SECOND });
    const beside = await others();
    await agent.stop();
    expect(agent.answered.filter(({ code }) => code === 'budget-exceeded').length).toBeGreaterThan(agent.answered.length / 2);
    ratios.push(beside / alone);
    process.stderr.write(`99th percentile of another client: ${alone.toFixed(1)} ms alone, ${beside.toFixed(1)} ms beside the runaway agent\n`);
  }
  await client.close();
  expect(ratios.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)], ratios.join(' ')).toBeLessThanOrEqual(WORST_RATIO);
});

function p99(calls: readonly Called[]): number {
  for (const { status } of calls) expect(status).toBe(200);
  const sorted = calls.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
}

it('reads over MCP need no more memory after ten minutes', async () => {
  const watch = watchProcess(gateway.pids().control, () => performance.now());
  const endMs = performance.now() + SECONDS * 1000;
  let count = 0;
  const read = async (): Promise<void> => {
    while (performance.now() < endMs) {
      expect(await callTool(gateway, { token: reader, tool: 'get_deployments' })).toMatchObject({ code: null });
      count += 1;
    }
  };
  const looking = setInterval(watch.look, 1000);
  try {
    await Promise.all(Array.from({ length: READERS }, read));
  } finally {
    clearInterval(looking);
  }
  const grows = slope(watch.samples, WARM_MINUTES);
  const [first, last] = [watch.samples[0], watch.samples.at(-1)].map((sample) => sample?.mebibytes.toFixed(0));
  process.stderr.write(`${count} reads over MCP: ${first} MiB at first, ${last} MiB at last, ${grows.toFixed(2)} MiB a minute\n`);
  expect(grows, 'MiB a minute of the control plane').toBeLessThan(MOST_MIB_PER_MINUTE);
});
