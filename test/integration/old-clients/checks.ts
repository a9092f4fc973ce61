// What older stock clients must do before the newest server, through the gateway: each with the carrier that its version has on every socket.
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CarrierName, type StockClient, stockClient } from '../../env/client.ts';
import { type Gateway, jsonLines, startGateway } from '../../env/gateway.ts';
import { directTo, field, sharedPrefect } from '../../env/prefect.ts';
import { waitFor } from '../../env/process.ts';
import { oldClientVenv } from '../../env/venv.ts';

export interface OldClient {
  readonly version: string;
  readonly carrier: CarrierName;
  /** Since 3.7.2 a worker keeps a socket to its work pool. */
  readonly hasChannel: boolean;
}

/** It sends nothing but custom headers on `/events/in`: neither the sub-protocol nor a first frame. */
export const OLDEST: OldClient = { version: '3.6.13', carrier: 'custom-x-lictor-token', hasChannel: false };

const SOCKETS_SCRIPT = resolve(import.meta.dirname, '../relay-sockets.py');
const FIELDS_SCRIPT = resolve(import.meta.dirname, '../filter-fields.py');

const prefect = sharedPrefect();
const server = directTo(prefect);
const venvs = new Map<string, string>();
let gateway: Gateway;

/** Registers the checks of these clients; call at the top of a test file. */
export function oldClientChecks(clients: readonly OldClient[]): void {
  beforeAll(async () => {
    for (const { version } of clients) venvs.set(version, await oldClientVenv(version));
    gateway = await startGateway({ upstream: prefect });
  }, 600_000);
  afterAll(() => gateway?.close());

  // Together: most of the time is waiting for a poll.
  describe.concurrent.each(clients)('the client of $version with $carrier', checks);
}

function checks({ version, carrier, hasChannel }: OldClient): void {
  const name = `old-${version.replaceAll('.', '-')}`;
  let client: StockClient;
  beforeAll(async () => {
    const { secret } = await gateway.token(name, ['deployer', 'worker']);
    client = stockClient({ venv: venvs.get(version) ?? '', url: gateway.url, credential: { carrier, token: secret } });
  });
  afterAll(() => client?.stop());

  it('sends and receives on the sockets; a worker runs, logs and cancels; nothing was refused', async () => {
    const pool = `${name}-${Date.now().toString(36)}`;
    const deployed = await client.python(['old_client.py', pool]);
    expect(deployed.code, deployed.output).toBe(0);
    const worker = await client.startPrefect(['worker', 'start', '--pool', pool, '--type', 'process', '--name', name]);
    const sockets = client.python([SOCKETS_SCRIPT, `${name}-${Date.now()}`]);

    const slow = runId(deployed.output, 'slow');
    await server.awaitRunState(slow, ['RUNNING']);
    await waitFor(() => opened('/api/events/out'), { what: 'the observer of cancellations', timeoutMs: 90_000 });
    const cancelling = { state: { type: 'CANCELLING', name: 'Cancelling' } };
    await gateway.fetch(`/api/flow_runs/${slow}/set_state`, { method: 'POST', token: await adminSecret(name), ...json(cancelling) });
    expect(await server.awaitRunState(slow, ['CANCELLED'])).toBe('CANCELLED');

    const mapped = runId(deployed.output, 'mapped');
    expect(await server.awaitRunState(mapped, ['COMPLETED'])).toBe('COMPLETED');
    await waitFor(async () => (await server.taskRunStates(mapped))['COMPLETED'] === 3, { what: 'three task runs', timeoutMs: 90_000 });
    await waitFor(async () => (await server.logMessages(mapped)).some((line) => line.includes('mapped 3 tasks')), { what: 'the log', timeoutMs: 90_000 });

    const { code, output } = await sockets;
    expect(code, output).toBe(0);
    for (const line of ['events 20', `log ${name}`, 'task True']) expect(output).toContain(line);
    await worker.stop();

    const paths = new Set((await records()).filter(({ status }) => status === 101).map(({ path }) => path));
    for (const path of ['/api/events/in', '/api/events/out', '/api/logs/out', '/api/task_runs/subscriptions/scheduled']) expect(paths).toContain(path);
    expect(paths.has(`/api/work_pools/${pool}/workers/connect`)).toBe(hasChannel);
    expect((await records()).filter(({ decision }) => decision === 'deny')).toEqual([]);
  }, 600_000);

  // Of the newest one test/integration/filters.test.ts asks each field.
  it('comes with a server whose filters have no field that the newest one lacks', async () => {
    const { output } = await client.python([FIELDS_SCRIPT]);
    const newest = Object(field(field(await server.get('/openapi.json'), 'components'), 'schemas'));
    const filters = Object.entries<string[]>(JSON.parse(/^FIELDS (.*)$/m.exec(output)?.[1] ?? '{}')).filter(([name]) => Object.hasOwn(newest, name));
    const known = (name: string) => Object(field(newest[name], 'properties'));
    expect(filters.length, output).toBeGreaterThan(90);
    expect(filters.flatMap(([name, fields]) => fields.filter((each) => !Object.hasOwn(known(name), each)).map((each) => `${name}.${each}`))).toEqual([]);
  });

  const records = async () => jsonLines(await gateway.lictorOk('audit', '--principal', `token:${name}`, '--json'));
  const opened = async (path: string) => (await records()).some((record) => record['path'] === path && record['status'] === 101);
}

async function adminSecret(name: string): Promise<string> {
  return (await gateway.token(`operator-of-${name}`, ['operator'])).secret;
}

function json(body: unknown) {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function runId(output: string, flow: string): string {
  const id = new RegExp(`RUN ${flow} ([0-9a-f-]{36})`).exec(output)?.[1];
  if (id === undefined) throw new Error(`no run of ${flow} in: ${output}`);
  return id;
}
