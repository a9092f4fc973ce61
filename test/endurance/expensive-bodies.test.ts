// Expensive bodies, ten at once, on every mediated route and by the token of a run: how long another principal waits, and how much memory they take.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCatalogue } from '../../src/prefect/catalog/catalogue.ts';
import { runsFrom } from '../env/begun-runs.ts';
import { type Client, EXPENSIVE, openClient, p99, residentMiB, type Watched } from '../env/expensive-bodies.ts';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { directTo, sharedPrefect } from '../env/prefect.ts';
import { useHarness } from '../integration/attacks/harness.ts';

const MIB = 1024 * 1024;
const ID = '11111111-1111-4111-8111-111111111111';
const RUN = `/api/deployments/${ID}/create_flow_run`;
const UNLIMITED = { limits: [{ for: '*', rate: '5000/s', burst: 10000 }] };
const SHAPES = Object.entries(EXPENSIVE);
const MOST_MS = 250;
const MOST_MIB = 300;

/** As many fields as handlers look into, all the same value. */
function bodyWith(value: string): string {
  return `{"name":"a","value":${value},"values":{"a":${value}},"parameters":{"a":${value}},"job_variables":{"a":${value}},"data":${value}}`;
}

function many(item: (at: number) => string): string {
  const bytes = JSON.stringify(item(0)).length + 1;
  return JSON.stringify(Array.from({ length: Math.floor((MIB - 200) / bytes) }, (_, at) => item(at)));
}

/** Lists and counts whose filter is as large as a client may send it. */
const FILTERS: Readonly<Record<string, readonly [path: string, body: string]>> = {
  'runs by id': ['/api/flow_runs/filter', `{"flow_runs":{"id":{"any_":${many(() => crypto.randomUUID())}}}}`],
  'runs by tag': ['/api/flow_runs/count', `{"flow_runs":{"tags":{"all_":${many((at) => `tag-${at + 100_000}`)}}}}`],
  'events by name': ['/api/events/filter', `{"filter":{"event":{"prefix":${many((at) => `event.${at + 100_000}`)}}}}`],
  'events by label': ['/api/events/filter', `{"filter":{"related":{"labels":{"prefect.resource.id":${many((at) => `prefect.flow-run.${at + 100_000}*`)}}}}}`],
};

interface Round {
  readonly what: string;
  readonly gateway: Gateway;
  readonly client: Client;
  readonly send: () => Promise<unknown>;
  /** Of another principal. */
  readonly other: Watched;
}

async function expectUnfelt({ what, gateway, client, send, other }: Round): Promise<void> {
  const { control } = gateway.pids();
  const before = residentMiB(control);
  let most = before;
  const sampling = setInterval(() => {
    most = Math.max(most, residentMiB(control));
  }, 20);
  const watched = client.watch(other);
  await Promise.all(Array.from({ length: 10 }, send));
  const others = await watched();
  clearInterval(sampling);
  process.stderr.write(`${what}: others ${p99(others).toFixed(0)} ms of ${others.length}, memory +${(most - before).toFixed(0)} MiB\n`);
  expect.soft(new Set(others.map(({ status }) => status)), what).toEqual(new Set([200]));
  expect.soft(p99(others), what).toBeLessThan(MOST_MS);
  expect.soft(most - before, what).toBeLessThan(MOST_MIB);
}

describe('before a recorder', () => {
  const harness = useHarness({ config: UNLIMITED });
  let client: Client;
  beforeAll(() => {
    client = openClient(harness.gateway);
  });
  afterAll(() => client?.close());
  const validated = (): Watched => ({
    ask: { method: 'POST', path: '/api/ui/schemas/validate', token: harness.viewer, body: '{"schema":{},"values":{"a":1}}' },
  });

  it.each(SHAPES)('ten of 8 MiB that start runs: %s', async (shape, make) => {
    const body = `{"parameters":{"a":${make(8 * MIB - 200)}}}`;
    await expectUnfelt({ what: shape, gateway: harness.gateway, client, send: () => client.post(RUN, harness.operator, body), other: validated() });
  });

  it.each(SHAPES)('ten of 1 MiB that are validated: %s', async (shape, make) => {
    const body = `{"schema":{},"values":{"a":${make(MIB - 200)}}}`;
    await expectUnfelt({
      what: shape,
      gateway: harness.gateway,
      client,
      send: () => client.post('/api/ui/schemas/validate', harness.admin, body),
      other: validated(),
    });
  });

  it.each(Object.entries(FILTERS))('ten filters of 1 MiB by a scoped role: %s', async (what, [path, body]) => {
    const { secret } = await harness.gateway.token(`scoped-${what.replaceAll(' ', '-')}`, ['operator'], '--scope', 'tag=team-a');
    await expectUnfelt({ what, gateway: harness.gateway, client, send: () => client.post(path, secret, body), other: validated() });
  });

  it('every mediated route, with each shape in turn', async () => {
    const routes = createCatalogue().operations.filter(({ taken, method }) => taken === 'mediated' && method === 'POST');
    for (const [at, { path }] of routes.entries()) {
      const [shape, make] = SHAPES[at % SHAPES.length] ?? ['', () => '0'];
      const body = bodyWith(make(MIB / 6));
      const target = path.replaceAll(/\{[^}]+\}/g, ID);
      await expectUnfelt({
        what: `${target} ${shape}`,
        gateway: harness.gateway,
        client,
        send: () => client.post(target, harness.admin, body),
        other: validated(),
      });
    }
  });
});

describe('by the token of a run', () => {
  const prefect = sharedPrefect();
  let gateway: Gateway;
  let client: Client;
  let run = '';
  let viewer = '';
  beforeAll(async () => {
    gateway = await startGateway({ upstream: prefect, config: UNLIMITED });
    const worker = (await gateway.token('etl', ['deployer', 'worker'])).secret;
    viewer = (await gateway.token('look', ['viewer'])).secret;
    const begin = await runsFrom({ gateway, server: directTo(prefect), worker, name: `expensive-${Date.now().toString(36)}` });
    run = (await begin('one')).token;
    client = openClient(gateway);
  });
  afterAll(async () => {
    await client?.close();
    await gateway?.close();
  });

  /** The gateway's own answer: Prefect itself takes seconds for such parameters, and lets everybody wait. Paced below the limit of own pages. */
  const me = (): Watched => ({ ask: { method: 'GET', path: '/.lictor/api/v1/me', token: viewer }, pauseMs: 200 });

  it.each(SHAPES)('ten sub-flows of 4 MiB: %s', async (shape, make) => {
    const body = `{"flow_id":"${ID}","state":{"type":"PENDING"},"parameters":{"a":${make(4 * MIB - 200)}}}`;
    await expectUnfelt({
      what: shape,
      gateway,
      client,
      send: () => client.post('/api/flow_runs/', run, body),
      other: me(),
    });
  });
});
