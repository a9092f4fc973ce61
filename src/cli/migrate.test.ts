// lictor migrate workers, before a Prefect and a control plane of the test.
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Config } from '../config/config.ts';
import { prepareStateDir, removeRuntimeDir } from '../config/runtime-dir.ts';
import type { WorkerChannel } from '../contract/worker-channel.ts';
import { createAdminServer } from '../edge/http/admin-server.ts';
import { tokenNameOf } from '../operations/doctor/outside/worker-token-name.ts';
import { appendRecord } from '../record/ledger/append-record.ts';
import { tempState } from '../record/ledger/lines.fixture.ts';
import { openStore } from '../store/store.ts';
import { main } from './main.ts';
import { renderRules } from './migrate-text.ts';

let state: ReturnType<typeof tempState>;
let root = '';
let prefect: Server;
let control: Server | undefined;
/** What Prefect answers, and what is open at the gateway. */
let online: string[];
let offline: string[];
let runs: object[];
let channels: string[];
let openMs: number;
let heardAgoMs: number;
/** Of the channel of etl-1. */
let principal: string;
let status: number;

beforeEach(async () => {
  state = tempState();
  root = state.paths.root;
  [online, offline, runs, channels, status, openMs, heardAgoMs] = [['etl-1', 'etl-2'], [], [], ['etl-1'], 200, 60_000, 0];
  principal = 'token:shared';
  prefect = createServer((request, response) => {
    const isRight = request.headers.authorization === `Basic ${Buffer.from('gateway:a-long-auth-string').toString('base64')}`;
    request.resume();
    request.on('end', () =>
      response.writeHead(isRight ? status : 401, { date: new Date().toUTCString() }).end(JSON.stringify(isRight ? answerTo(request.url ?? '') : {})),
    );
  }).listen(0, '127.0.0.1');
  await once(prefect, 'listening');
  writeFileSync(join(root, 'prefect-auth'), 'gateway:a-long-auth-string\n', { mode: 0o600 });
  const { port } = Object(prefect.address());
  const places = `prefect: { url: "http://127.0.0.1:${port}", auth_string_file: "${join(root, 'prefect-auth')}" }\n`;
  writeFileSync(join(root, 'lictor.yaml'), `public_url: http://localhost:8200\n${places}`);
  await (await openStore({ at: join(root, 'lictor.db'), clock: Date.now })).close();
  control = createAdminServer(
    { sync: nothing, rereadSecrets: nothing, applyPolicies: refuse, workers: () => channels.map(channelOf), sharedStore: () => null },
    () => undefined,
  );
  control.listen(prepareStateDir(root).adminSocket);
  await once(control, 'listening');
});
afterEach(() => {
  vi.useRealTimers();
  prefect.close();
  control?.close();
  removeRuntimeDir(state.paths);
  state.remove();
});

const nothing = async () => undefined;
const refuse = async () => ({ applied: false, revision: 1, why: '' }) as const;

function channelOf(name: string): WorkerChannel {
  return { pool: 'etl', name, principal: name === 'etl-1' ? principal : 'token:shared', sinceMs: Date.now() - openMs, heardMs: Date.now() - heardAgoMs };
}

function answerTo(url: string): unknown {
  if (url === '/api/work_pools/filter') return [{ id: 'p', name: 'etl', type: 'process' }];
  if (url === '/api/flow_runs/filter') return runs;
  const worker = (name: string, how: string) => ({ id: name, name, status: how, last_heartbeat_time: new Date().toISOString() });
  return [...online.map((name) => worker(name, 'ONLINE')), ...offline.map((name) => worker(name, 'OFFLINE'))];
}

interface Printed {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

async function migrate(...args: string[]): Promise<Printed> {
  return migrating(nothing, ...args);
}

async function migrating(pause: () => Promise<unknown>, ...args: string[]): Promise<Printed> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const text = (stream: PassThrough) => String(stream.read() ?? '');
  const code = await main({ args: ['--state-dir', root, 'migrate', 'workers', ...args], out, err, env: { PATH: process.env['PATH'] }, cwd: root, pause });
  return { status: code, out: text(out), err: text(err) };
}

async function liveTokens(): Promise<readonly string[]> {
  const store = await openStore({ at: join(root, 'lictor.db'), clock: Date.now });
  const tokens = await store.tokens.list();
  await store.close();
  return tokens.filter(({ revokedMs }) => revokedMs === null).map(({ name }) => name);
}

describe('lictor migrate workers', () => {
  it('says which workers have moved, and what to paste for the others', async () => {
    const { status: code, out } = await migrate('--once');
    expect(code).toBe(0);
    expect(out).toMatch(/^1 of 2 through the gateway\n/);
    expect(out).toMatch(/etl-1 +etl +process +gateway\netl-2 +etl +process +direct\n/);
    expect(out).toContain('prefect worker start --pool etl --name etl-2');
    expect(out).not.toContain('--name etl-1');
    for (const line of ['set -a; . DIR/', 'docker run', 'EnvironmentFile=DIR/', 'apiConfig: selfHostedServer', 'Add --tokens DIR']) expect(out).toContain(line);
    expect(await liveTokens()).toEqual([]);
    expect((await migrate('--once', '--lines', 'helm')).out).not.toContain('docker run');
  });

  it('lists offline workers apart and does not count them, and names runs and denied requests', async () => {
    [offline, runs] = [['old-1'], [{ id: 'run-1', name: 'brave-cat', work_pool_name: 'etl' }]];
    const denied = { decision: 'deny', reason: 'policy-default-deny', principal: 'token:reader', action: 'worker.poll', mode: 'enforce' } as const;
    appendRecord(state.paths, { time: new Date().toISOString(), path: '/api/work_pools/etl/get_scheduled_flow_runs', ...denied });
    const { out } = await migrate('--once');
    expect(out).toMatch(/^1 of 2 through/);
    expect(out).toMatch(/Offline, not counted[\s\S]*old-1 +etl/);
    expect(out).toContain('brave-cat (run-1), pool etl');
    expect(out).toContain('token:reader, pool etl: policy-default-deny, 1 request');
  });

  it('does not name runs whose states came through the gateway', async () => {
    const id = '0199c0de-0000-7000-8000-000000000001';
    runs = [{ id, name: 'brave-cat', work_pool_name: null }];
    const set = { flow_run_id: id, run_binding: 'verified', action: 'flow_runs.set_state', principal: `run:${id}` } as const;
    appendRecord(state.paths, { time: new Date().toISOString(), decision: 'deny', mode: 'enforce', ...set });
    expect((await migrate('--once')).out).toContain('brave-cat');
    const byPassword = { ...set, principal: 'shared-password:10.0.0.7', mode: 'observe' } as const;
    appendRecord(state.paths, { time: new Date().toISOString(), decision: 'deny', ...byPassword });
    expect((await migrate('--once')).out).toContain('brave-cat');
    appendRecord(state.paths, { time: new Date().toISOString(), decision: 'allow', mode: 'enforce', ...set });
    expect((await migrate('--once')).out).not.toContain('brave-cat');
  });

  it('prints no control character of a name', async () => {
    online = ['etl-\u001b[2J\nrm -rf x'];
    const { out } = await migrate('--once');
    expect(out).not.toContain('\u001b');
    expect(out).toMatch(/^ +prefect worker start --pool etl --name 'etl-.*$/m);
  });

  it('--json prints one object', async () => {
    const { out } = await migrate('--json');
    expect(JSON.parse(out)).toMatchObject({
      ...{ through: 1, of: 2, offline: [], denied: [], direct_runs: [] },
      workers: [
        { name: 'etl-1', pool: 'etl', uses: 'gateway' },
        { name: 'etl-2', pool: 'etl', uses: 'direct' },
      ],
      tokens: [{ name: 'etl-2', state: 'none' }],
    });
  });

  it('waits until the last worker has moved and the last direct run has ended, then prints rules and what doctor finds', async () => {
    let rounds = 0;
    const round = async () => {
      rounds += 1;
      if (rounds === 1) runs = [{ id: 'run-1', name: 'brave-cat', work_pool_name: 'etl' }];
      if (rounds === 2) channels.push('etl-2');
      if (rounds === 3) status = 503;
      if (rounds === 4) [status, runs] = [200, []];
    };
    const { status: code, out } = await migrating(round);
    expect(code).toBe(0);
    expect(rounds).toBe(4);
    expect(out).toContain('\n2 of 2 through the gateway; 1 run not moved\n2 of 2 through the gateway\n');
    for (const words of [
      'table inet prefect {',
      'kind: NetworkPolicy',
      '--source-group SG_LICTOR',
      'ports: !reset []',
      'curl --max-time 5 http://localhost:8200/.lictor/health',
      'rejects clients that connect',
    ])
      expect(out).toContain(words);
    expect(await migrate('--once')).toMatchObject({ out: expect.stringContaining('table inet prefect {') });
    runs = [{ id: 'run-1', name: 'brave-cat', work_pool_name: 'etl' }];
    expect((await migrate('--once')).out).not.toContain('table inet');
    [runs, channels] = [[], ['etl-1']];
    expect((await migrate('--once')).out).not.toContain('table inet');
  });

  it('waits for a heartbeat of a process that is left under the name of a moved worker', async () => {
    [channels, openMs] = [['etl-1', 'etl-2'], 5_000];
    const once = await migrate('--once');
    expect(once.out).toMatch(/^2 of 2 through the gateway\n[\s\S]*Run this again in (?:29|30) s: all workers must still count\.\n$/);
    expect(JSON.parse((await migrate('--json')).out)).toMatchObject({ through: 2, seconds_left: expect.toSatisfy((left) => left === 29 || left === 30) });
    let rounds = 0;
    const later = async () => {
      rounds += 1;
      if (rounds === 2) openMs = 36_000;
    };
    expect((await migrating(later)).out).toContain('table inet prefect {');
    expect(rounds).toBe(2);
  });

  it('waits that long again after it saw such a process', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    [channels, heardAgoMs] = [['etl-1', 'etl-2'], 20_000];
    let rounds = 0;
    const round = async () => {
      [rounds, heardAgoMs] = [rounds + 1, 0];
      vi.setSystemTime(Date.now() + 10_000);
    };
    expect((await migrating(round)).out).toContain('table inet prefect {');
    expect(rounds).toBe(4);
  });

  it("names a worker that uses the gateway with Prefect's auth string, and does not propose the last step while there is one", async () => {
    [channels, principal] = [['etl-1', 'etl-2'], 'shared-password:10.0.0.7'];
    const { out } = await migrate('--once');
    expect(out).toMatch(/^1 of 2 through the gateway; 1 with Prefect's auth string\n/);
    expect(out).toMatch(/etl-1 +etl +process +gateway, with Prefect's auth string\n[\s\S]*Restart it with its own token/);
    expect(out).toContain('prefect worker start --pool etl --name etl-1');
    expect(out).not.toContain('table inet');
    expect(JSON.parse((await migrate('--json')).out)).toMatchObject({ through: 1, workers: [{ name: 'etl-1', uses: 'shared-password' }, { name: 'etl-2' }] });
    vi.useFakeTimers({ toFake: ['Date'] });
    let rounds = 0;
    const moves = async () => {
      [rounds, principal] = [rounds + 1, 'token:etl-1'];
      vi.setSystemTime(Date.now() + 10_000);
    };
    expect((await migrating(moves)).out).toMatch(/\n2 of 2 through the gateway\n[\s\S]*table inet prefect \{/);
    // A process that is left under its name may send a heartbeat with the auth string.
    expect(rounds).toBe(4);
  });

  const publicUrl = { origin: 'https://p.example.com', hostname: 'p.example.com', port: 443, basePath: '/prefect', secure: true };
  const rulesFor = (addresses: readonly string[], server: string, tls: Config['tls'] = null) =>
    renderRules({ rules: [], findings: [], servers: [server], addresses, config: { publicUrl, tls } }, { out: new PassThrough(), env: {} });

  it('names the authority of a self-made certificate for the last probe, and none for another certificate', () => {
    const health = (selfMadeBy: string | null) =>
      rulesFor([], 'http://localhost:4200', { certFile: '/c.pem', keyFile: '/k.pem', selfMadeBy, client: null }).match(/curl .*health$/m)?.[0];
    expect(health('/s/tls/ca.pem')).toBe('curl --max-time 5 --cacert /s/tls/ca.pem https://p.example.com/prefect/.lictor/health');
    expect(health(null)).toBe('curl --max-time 5 https://p.example.com/prefect/.lictor/health');
  });

  it('names the addresses at which others see a Prefect of this machine', () => {
    const probes = (addresses: readonly string[], server = 'http://localhost:4200') => rulesFor(addresses, server).match(/'http.*'/g);
    expect(probes(['10.0.0.1', '2001:db8::1'])).toEqual(["'http://10.0.0.1:4200/api/health'", "'http://[2001:db8::1]:4200/api/health'"]);
    expect(probes([])).toEqual(["'http://GATEWAY:4200/api/health'"]);
    expect(probes(['10.0.0.1'], 'https://prefect.internal')).toEqual(["'https://prefect.internal/api/health'"]);
  });

  it('begins when a busy Prefect answers, and gives up after five attempts', async () => {
    let pauses = 0;
    const answersAfter = (count: number) => async () => {
      pauses += 1;
      if (pauses === count) status = 200;
    };
    status = 503;
    expect((await migrating(answersAfter(4), '--once')).out).toContain('1 of 2 through the gateway');
    [status, pauses] = [503, 0];
    expect(await migrating(answersAfter(5), '--once')).toMatchObject({ status: 1, err: expect.stringContaining('answers 503 and no list. lictor doctor') });
    expect(pauses).toBe(4);
  });

  it('waits for nothing if no worker is online', async () => {
    online = [];
    expect(await migrate()).toMatchObject({ status: 0, out: expect.stringContaining('No worker is online') });
  });
});

describe('--tokens', () => {
  const file = () => join(root, 'workers', `${tokenNameOf({ pool: 'etl', name: 'etl-2' })}.env`);
  const create = (...args: string[]) => migrate('--once', '--tokens', join(root, 'workers'), ...args);

  it('creates a token for each worker that has not moved, once, and prints no secret', async () => {
    const first = await create();
    expect(first.out).toContain(file());
    expect(first.out).toContain('is new');
    const text = readFileSync(file(), 'utf8');
    const secret = /^PREFECT_API_URL=http:\/\/localhost:8200\/api\nPREFECT_API_AUTH_STRING=any:(lct_\w+)\n$/.exec(text)?.[1] ?? '';
    expect(secret).not.toBe('');
    expect([statSync(file()).mode & 0o777, statSync(join(root, 'workers')).mode & 0o777]).toEqual([0o600, 0o700]);
    const second = await create();
    expect(second.out).toContain('already');
    expect(`${first.out}${first.err}${second.out}${second.err}`).not.toContain(secret.slice(0, 12));
    expect(readFileSync(file(), 'utf8')).toBe(text);
    expect(await liveTokens()).toEqual([tokenNameOf({ pool: 'etl', name: 'etl-2' })]);
    expect(readdirSync(join(root, 'workers'))).toHaveLength(1);
  });

  it('gives the role worker on the pool of the worker, and records it', async () => {
    await create();
    const store = await openStore({ at: join(root, 'lictor.db'), clock: Date.now });
    expect(await store.tokens.list()).toMatchObject([{ roles: ['worker'], scope: { workPools: ['etl'] }, lifetimeMs: null }]);
    await store.close();
    const [out, err] = [new PassThrough(), new PassThrough()];
    await main({ args: ['--state-dir', root, 'audit', '--action', 'token.create', '--json'], out, err, env: {}, cwd: root });
    expect(JSON.parse(String(out.read()))).toMatchObject({ resource_id: tokenNameOf({ pool: 'etl', name: 'etl-2' }), grants: [{ role: 'worker' }] });
  });

  it('only for the named worker', async () => {
    await create('--worker', 'etl-1');
    expect(await liveTokens()).toEqual([tokenNameOf({ pool: 'etl', name: 'etl-1' })]);
    expect(await create('--worker', 'nobody')).toMatchObject({ status: 2, err: expect.stringContaining('no worker of this name') });
  });

  it('says what to do about a lost file, and about a file without its token', async () => {
    await create();
    rmSync(file());
    expect((await create()).out).toContain(`lictor token revoke ${tokenNameOf({ pool: 'etl', name: 'etl-2' })}, then run this again`);
    expect(existsSync(file())).toBe(false);
    writeFileSync(file(), 'PREFECT_API_URL=x\n');
    await main({
      args: ['--state-dir', root, 'token', 'revoke', tokenNameOf({ pool: 'etl', name: 'etl-2' })],
      out: new PassThrough(),
      err: new PassThrough(),
      env: {},
      cwd: root,
      pause: nothing,
    });
    expect(await create()).toMatchObject({ status: 1, err: expect.stringContaining('it was revoked') });
    expect(readFileSync(file(), 'utf8')).toBe('PREFECT_API_URL=x\n');
  });

  it('creates no token if the file cannot be written', async () => {
    writeFileSync(join(root, 'workers'), 'a file');
    expect(await create()).toMatchObject({ status: 1, err: expect.stringContaining('no token was created') });
    expect(await liveTokens()).toEqual([]);
  });
});

describe('a clear error', () => {
  it('without a gateway, with another state directory, without Prefect, and with a wrong credential', async () => {
    status = 401;
    expect(await migrate()).toMatchObject({ status: 1, err: expect.stringContaining("rejects the gateway's credential (401). lictor doctor") });
    status = 200;
    control?.close();
    control?.closeAllConnections();
    expect(await migrate()).toMatchObject({
      status: 1,
      err: expect.stringContaining('The gateway does not run with this state directory. Start it: lictor up'),
    });
    prefect.close();
    prefect.closeAllConnections();
    expect(await migrate()).toMatchObject({ status: 1, err: expect.stringContaining('cannot be reached: ECONNREFUSED') });
    rmSync(join(root, 'lictor.db'));
    expect(await migrate()).toMatchObject({ status: 1, err: expect.stringContaining('There is no store') });
  });
});
