// Two nodes behind HAProxy go from the program of the commit before to this one and back, one after the other, under load.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type StockClient, stockClient } from '../env/client.ts';
import type { Gateway } from '../env/gateway.ts';
import { directTo, field, list, sharedPrefect, text } from '../env/prefect.ts';
import { buildPrevious, type PreviousBuild } from '../env/previous-build.ts';
import { waitFor } from '../env/process.ts';
import { MAIN } from '../env/program.ts';
import { type Cluster, startCluster } from '../env/several/cluster.ts';
import { type Postgres, startPostgres } from '../env/several/postgres.ts';
import { authFrame, openSocket } from '../env/socket.ts';
import { askSteadily } from '../integration/restarts/replaced.ts';

const SOCKETS = 20;
const BACK_MS = 5_000;

const prefect = sharedPrefect();
const server = directTo(prefect);
const programs = new Map<string, string>();
let previous: PreviousBuild;
let postgres: Postgres;
let cluster: Cluster;
let client: StockClient;

beforeAll(async () => {
  previous = await buildPrevious();
  postgres = await startPostgres();
  cluster = await startCluster({
    upstream: { urls: [prefect.url], authString: prefect.authString },
    store: `postgres://${postgres.address}`,
    names: ['one', 'two'],
    only: (name) => ({ program: () => programs.get(name) ?? previous.program }),
  });
}, 600_000);
afterAll(async () => {
  await client?.stop();
  await cluster?.close();
  await postgres?.stop();
  await previous?.remove();
});

it('two nodes are upgraded and go back: no request fails, sockets return, the run completes, and the login stays', async () => {
  const one = cluster.node('one');
  const { secret } = await one.token('load', ['deployer', 'worker']);
  const session = await cluster.login(await one.account('alice', 'viewer'));
  const me = async (): Promise<number> => (await fetch(`${cluster.url}/.lictor/api/v1/me`, { headers: { cookie: session.cookie } })).status;
  const flow = await begin(secret);
  const asking = askSteadily({ gateway: cluster, token: secret });
  const sockets = holdSockets(secret);
  await waitFor(() => asking.answered() > 100 && sockets.open() === SOCKETS, { what: 'the load', timeoutMs: 60_000 });
  for (const program of [MAIN, previous.program])
    for (const name of ['one', 'two']) {
      await exchange(cluster.node(name), name, program);
      expect(await me()).toBe(200);
    }
  flow.goOn();
  const { code, output } = await flow.finished;
  expect(code, output).toBe(0);
  const states = () => server.taskRunStates(flow.id);
  await waitFor(async () => (await states())['COMPLETED'] === 100, { what: '100 completed task runs', timeoutMs: 120_000 });
  expect([await states(), await server.runState(flow.id)]).toEqual([{ COMPLETED: 100 }, 'COMPLETED']);
  const { codes, backMs } = await sockets.stop();
  expect([...new Set(codes)]).toEqual([1012]);
  expect(codes.length).toBeGreaterThanOrEqual(2 * SOCKETS);
  expect(Math.max(...backMs)).toBeLessThan(BACK_MS);
  const answers = Map.groupBy(await asking.stop(), (answer) => answer);
  const counted = Object.fromEntries([...answers].map(([answer, all]) => [answer, all.length]));
  process.stderr.write(
    `upgrade from ${previous.commit.slice(0, 8)} and back: ${JSON.stringify({ counted, sockets: codes.length, backMs: Math.max(...backMs) })}\n`,
  );
  expect(Object.keys(counted).filter((answer) => !['GET 404', 'POST 201', 'POST 409'].includes(answer))).toEqual([]);
}, 900_000);

/** Ends the node in order, starts it with that program, and waits until HAProxy sends it requests again. */
async function exchange(node: Gateway, name: string, program: string): Promise<void> {
  expect(await node.stop()).toEqual([]);
  programs.set(name, program);
  const log = join(node.stateDir, 'log', 'access.log');
  const before = statSync(log).size;
  await node.up();
  const isUsed = (): boolean => readFileSync(log).subarray(before).includes('"taken":"direct"');
  await waitFor(isUsed, { what: `HAProxy to use ${name}`, timeoutMs: 60_000, everyMs: 200 });
}

/** Sockets that are opened again as often as they close. */
function holdSockets(token: string) {
  const [codes, backMs]: [(number | null)[], number[]] = [[], []];
  const open = new Set<{ close(): void }>();
  let going = true;
  const one = async (): Promise<void> => {
    for (let endedAt = performance.now(), times = 0; going; times += 1) {
      const socket = openSocket(cluster.url, '/api/events/out', { first: authFrame(token) });
      const ended = socket.ended;
      const isIn = await waitFor(() => socket.frames().some((frame) => frame.includes('auth_success')), { what: 'a socket', timeoutMs: BACK_MS }).then(
        () => true,
        () => false,
      );
      if (times > 0) backMs.push(isIn ? performance.now() - endedAt : Number.POSITIVE_INFINITY);
      if (isIn) open.add(socket);
      const { code } = await ended;
      open.delete(socket);
      endedAt = performance.now();
      if (going) codes.push(code);
    }
  };
  const all = Promise.all(Array.from({ length: SOCKETS }, one));
  return {
    open: () => open.size,
    async stop() {
      going = false;
      for (const socket of open) socket.close();
      await all;
      return { codes, backMs };
    },
  };
}

const GATE = 'gate';

/** A flow of 100 tasks, of which some are done. */
async function begin(token: string) {
  const since = new Date().toISOString();
  client = stockClient({ venv: prefect.venv, url: cluster.url, credential: { carrier: 'custom-authorization', token }, settings: { STEADY_GATE: GATE } });
  const finished = client.python(['suite.py', 'steady'], 600_000);
  const filter = { flow_runs: { state: { type: { any_: ['RUNNING'] } }, start_time: { after_: since } }, flows: { name: { any_: ['steady'] } } };
  const run = await waitFor(async () => list(await server.post('/flow_runs/filter', filter))[0], { what: 'the flow to run', timeoutMs: 120_000 });
  const id = text(field(run, 'id'));
  await waitFor(async () => ((await server.taskRunStates(id))['COMPLETED'] ?? 0) >= 10, { what: '10 task runs', timeoutMs: 90_000 });
  return { id, finished, goOn: () => writeFileSync(join(client.project, GATE), '') };
}
