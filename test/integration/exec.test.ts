// `lictor exec`: stock clients behind the loopback address, while their credential is replaced under them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { commandLine, descendantsOf, type Finished, type Running, run, start, waitFor } from '../env/process.ts';
import { MAIN } from '../env/program.ts';
import { expectTaskRuns, openSession, preparePool, type StockSession, startRun, startWorker } from './stock/session.ts';

const prefect = sharedPrefect();
const dir = mkdtempSync(join(tmpdir(), 'lictor-test-exec-'));
const tokenFile = join(dir, 'token');
let gateway: Gateway;
let session: StockSession;

beforeAll(async () => {
  gateway = await startGateway({ upstream: prefect });
  writeToken((await gateway.token('etl', ['deployer', 'worker'])).secret);
  session = openSession(
    prefect,
    { venv: prefect.venv, url: gateway.url, credential: { carrier: 'none', token: '' }, exec: ['--as', `token:${tokenFile}`] },
    'exec',
  );
});
afterAll(async () => {
  await session?.client.stop();
  await gateway?.close();
  rmSync(dir, { recursive: true });
});

function writeToken(secret: string): void {
  writeFileSync(tokenFile, `${secret}\n`, { mode: 0o600 });
}

/** The old secret lives on for the overlap; sockets that were opened with it end with it. */
async function rotate(): Promise<void> {
  const { secret } = JSON.parse(await gateway.lictorOk('token', 'rotate', 'etl', '--overlap', '15s', '--json'));
  writeToken(String(secret));
}

async function records(): Promise<readonly Record<string, unknown>[]> {
  return jsonLines(await gateway.lictorOk('audit', '--principal', 'token:etl', '--json'));
}

/** The number of opened worker channels. The data of a worker's first frame are a separate record. */
async function channels(): Promise<number> {
  const path = `/api/work_pools/${session.pool}/workers/connect`;
  return (await records()).filter((record) => record['path'] === path && record['status'] === 101 && record['resource_type'] !== 'Worker').length;
}

const exec = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  run({ name: 'lictor exec', command: process.execPath, args: [MAIN, 'exec', ...args], cwd: dir, env: { PATH: process.env['PATH'], HOME: dir, ...env } });

const ROTATIONS = 2;

describe('a worker under lictor exec', () => {
  let worker: Running;
  beforeAll(async () => {
    await preparePool(session, 'steady');
    worker = await startWorker(session);
  });

  it('runs a flow of 50 tasks to Completed while its token is rotated twice and the sockets of the old ones end', async () => {
    const id = await startRun(session, `steady/${session.pool}`, 'count=50', 'seconds=0.5');
    await session.server.awaitRunState(id, ['RUNNING']);
    for (let rotation = 1; rotation <= ROTATIONS; rotation++) {
      await rotate();
      const opened = rotation + 1;
      await waitFor(async () => (await channels()) >= opened, { what: `channel ${opened} of the worker`, timeoutMs: 90_000, everyMs: 2000 });
    }
    expect(await session.server.awaitRunState(id, ['COMPLETED', 'FAILED', 'CRASHED'], 120_000)).toBe('COMPLETED');
    await expectTaskRuns(session, id, 50);
    // Its last lines come after its last state.
    await waitFor(async () => (await session.server.logMessages(id)).join('\n').includes('steady ran 50 tasks'), {
      what: 'its last log line',
      timeoutMs: 60_000,
    });
    expect(worker.running(), worker.output()).toBe(true);
  });

  it('its channel stayed open, and only the end of a socket rejected it', async () => {
    const all = await records();
    expect(new Set(all.map(({ path }) => path))).toContain('/api/events/in');
    // A worker says that it lives over its channel; by a request only where it has to say so just while a rotation has ended the channel.
    expect(all.filter(({ path }) => String(path).endsWith('/workers/heartbeat')).length).toBeLessThanOrEqual(ROTATIONS);
    const refusals = all.filter(({ decision }) => decision === 'deny').map(({ reason, path_taken, resource_id }) => `${reason} ${path_taken} ${resource_id}`);
    expect(refusals.filter((refusal) => !refusal.startsWith('credential-expired relay'))).toEqual([]);
  });

  it('shows the token to nobody: it is in no command line and in no environment below', () => {
    const secret = readFileSync(tokenFile, 'utf8').trim();
    const below = descendantsOf(worker.pid);
    expect(below.length).toBeGreaterThan(0);
    for (const pid of [worker.pid, ...below]) expect(commandLine(pid)).not.toContain(secret);
    for (const pid of below) {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      expect(environment).toContain('PREFECT_API_URL=http://127.0.0.1:');
      expect(environment).not.toContain('lct_');
      expect(commandLine(pid)).not.toContain(/PREFECT_API_AUTH_STRING=lictor:([\w-]+)/.exec(environment)?.[1] ?? 'no secret');
    }
    expect(worker.output()).not.toContain(secret);
  });

  it('ends on request, once', async () => {
    worker.signal('SIGTERM');
    await waitFor(() => !worker.running(), { what: 'the worker to end', timeoutMs: 60_000 });
    expect(worker.output()).toContain('stopped!');
  });
});

describe('the command', () => {
  const as = ['--as', `token:${tokenFile}`];

  it.each([
    ['exit 7', 7],
    ['kill -9 $$', 137],
  ])('its exit status is ours: %s', async (script, code) => {
    expect((await exec(['--url', gateway.url, ...as, '--', 'sh', '-c', script])).code).toBe(code);
  });

  it('gets the signals that we get', async () => {
    const running = await start({
      name: 'signals',
      command: process.execPath,
      args: [MAIN, 'exec', ...as, '--', 'sh', '-c', 'trap "echo got TERM; exit 3" TERM; echo ready; while :; do sleep 0.1; done'],
      env: { PATH: process.env['PATH'], LICTOR_URL: gateway.url },
    });
    await waitFor(() => running.output().includes('ready'), { what: 'the command', timeoutMs: 30_000 });
    running.signal('SIGTERM');
    expect(await running.exited).toMatchObject({ code: 3 });
    expect(running.output()).toContain('got TERM');
  });

  it('is not started with a credential that the gateway refuses: its hint is shown', async () => {
    const file = join(dir, 'revoked');
    const { secret } = await gateway.token('gone', ['viewer']);
    writeFileSync(file, secret, { mode: 0o600 });
    await gateway.lictorOk('token', 'revoke', 'gone');
    const { code, output } = await exec(['--url', gateway.url, '--as', `token:${file}`, '--', 'echo', 'started']);
    expect(output).toContain('credential-revoked');
    expect(output).not.toContain('started');
    expect(code).toBe(1);
  });
});
