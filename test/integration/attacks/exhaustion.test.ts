// research rows FL, DS: the gateway fails closed when parts fail, and a flood of one client does not stop others.
import { execFileSync } from 'node:child_process';
import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { jsonLines } from '../../env/gateway.ts';
import { field } from '../../env/prefect.ts';
import { isAlive, signalProcess, waitFor } from '../../env/process.ts';
import { authFrame, type OpenSocket, openSocket } from '../../env/socket.ts';
import { floodWithGuesses, floodWithKeys, PATH } from './floods.ts';
import { expectNothingUpstream, useHarness } from './harness.ts';
import { floodWithUpgrades } from './upgrade-floods.ts';

// Floods must meet the defences, not the identity limit.
const harness = useHarness({ config: { limits: [{ for: '*', rate: '5000/s', burst: 10000 }] } });

/** A control plane that is stopped inside a write holds the lock of the database, and no command writes until it is replaced. */
async function stopBetweenWrites(control: number): Promise<void> {
  const free = (name: string): boolean => {
    const database = new DatabaseSync(join(harness.gateway.stateDir, name), { timeout: 0 });
    try {
      database.exec('begin immediate; rollback');
      return true;
    } catch {
      return false;
    } finally {
      database.close();
    }
  };
  const stopped = (): boolean => {
    signalProcess(control, 'SIGSTOP');
    if (['lictor.db', 'ledger.db'].every(free)) return true;
    signalProcess(control, 'SIGCONT');
    return false;
  };
  await waitFor(stopped, { what: 'the control plane to stop between two writes' });
}

describe('FL-01: fail closed', () => {
  afterEach(() => waitFor(() => harness.gateway.isReady(), { what: 'the gateway to be ready again', timeoutMs: 90_000 }));

  it('FL-01: a control plane that hangs means 503 with Retry-After for a client without a cached decision, and no forward', async () => {
    const { control } = harness.gateway.pids();
    signalProcess(control, 'SIGSTOP');
    try {
      const response = await harness.gateway.fetch('/api/work_pools/never-asked', { token: harness.viewer });
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(response.headers.get('prefect-maintenance')).toBe('true');
      expect(await response.json()).toMatchObject({ code: 'gateway-unavailable' });
      expectNothingUpstream(harness);
    } finally {
      signalProcess(control, 'SIGCONT');
    }
  });

  it('FL-01: a control plane that hangs is replaced, and recorded; a revocation meanwhile says what it did not reach', async () => {
    const { supervisor, control } = harness.gateway.pids();
    const { secret } = await harness.gateway.token('leaver', ['viewer']);
    expect((await harness.gateway.fetch(PATH, { token: secret })).status).toBe(200);
    signalProcess(supervisor, 'SIGSTOP');
    await stopBetweenWrites(control);
    try {
      expect(await harness.gateway.lictorOk('token', 'revoke', 'leaver')).toMatch(/The control plane did not answer.*\n.*sockets and tunnels were not reached/);
    } finally {
      signalProcess(supervisor, 'SIGCONT');
    }
    await waitFor(() => !isAlive(control), { what: 'the control plane that hangs to be killed', timeoutMs: 60_000 });
    await waitFor(() => harness.gateway.isReady(), { what: 'the next one', timeoutMs: 90_000 });
    expect((await harness.gateway.fetch(PATH, { token: secret })).status).toBe(401);
    expect((await harness.gateway.fetch(PATH, { token: harness.viewer })).status).toBe(200);
    const recorded = async () => jsonLines(await harness.gateway.lictorOk('audit', '--action', 'gateway.hung', '--json'));
    await waitFor(async () => (await recorded()).some(({ reason }) => reason === 'control-plane-hung'), { what: 'its record', timeoutMs: 60_000 });
    expect(harness.gateway.terminal()).toContain('the control plane hangs: killing it');
  }, 240_000);

  it('FL-01: and while none runs, a change says so', async () => {
    const { supervisor, control } = harness.gateway.pids();
    signalProcess(supervisor, 'SIGSTOP');
    signalProcess(control, 'SIGKILL');
    try {
      // Its sockets are closed when the last of its threads has ended; the stopped supervisor has not collected it.
      await waitFor(() => readdirSync(`/proc/${control}/task`).length === 1 && !isAlive(control), { what: 'the control plane to end', timeoutMs: 30_000 });
      expect(await harness.gateway.lictorOk('lock', 'address:192.0.2.9', '--for', '1h')).toContain('No control plane is running.');
    } finally {
      signalProcess(supervisor, 'SIGCONT');
    }
  });

  it('FL-01: the upstream away is 503, with Prefect-Maintenance since nothing was forwarded', async () => {
    await harness.recorder.pause();
    try {
      const response = await harness.gateway.fetch(PATH, { token: harness.viewer });
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(response.headers.get('prefect-maintenance')).toBe('true');
      const body = '{"name":"a","value":1}';
      const write = await harness.gateway.fetch('/api/variables/', {
        method: 'POST',
        token: harness.admin,
        headers: { 'content-type': 'application/json' },
        body,
      });
      expect(write.status).toBe(503);
      expect(await write.json()).toMatchObject({ code: 'upstream-unavailable' });
    } finally {
      await harness.recorder.resume();
    }
  });
});

describe('FL-01: the ledger cannot be written', () => {
  /** No file of the control plane may grow: what a full disk does, for one process. */
  const limitFiles = (bytes: string): void => {
    execFileSync('prlimit', [`--pid=${harness.gateway.pids().control}`, `--fsize=${bytes}`]);
  };
  const write = (path: string, body: string): Promise<Response> =>
    harness.gateway.fetch(path, { method: 'POST', token: harness.admin, headers: { 'content-type': 'application/json' }, body });

  it('FL-01: changes stop with 503, those already decided too; reads go on; all goes on when there is room again', async () => {
    expect((await write('/api/logs/', '[]')).status).toBe(200);
    harness.recorder.clear();
    limitFiles('1:');
    try {
      const refused = await write('/api/variables/', '{"name":"a","value":1}');
      expect(refused.status).toBe(503);
      // Rejected by the first part that needs the ledger: the mediator, or already the decision if an earlier record could not be written.
      expect(['ledger-unavailable', 'gateway-unavailable']).toContain(field(await refused.json(), 'code'));
      await waitFor(async () => (await write('/api/logs/', '[]')).status === 503, { what: 'direct writes to stop', timeoutMs: 60_000 });
      harness.recorder.clear();
      expect((await write('/api/logs/', '[]')).status).toBe(503);
      expect((await write('/api/variables/', '{"name":"b","value":1}')).status).toBe(503);
      expectNothingUpstream(harness);
      expect((await harness.gateway.fetch(PATH, { token: harness.viewer })).status).toBe(200);
    } finally {
      limitFiles('unlimited:');
    }
    await waitFor(async () => (await write('/api/logs/', '[]')).status === 200, { what: 'writes to go on', timeoutMs: 90_000 });
    expect((await write('/api/variables/', '{"name":"c","value":1}')).status).toBe(200);
  });
});

describe('DS-01: exhaustion', () => {
  // They end after some seconds: the floods come meanwhile.
  let waiting: readonly OpenSocket[] = [];
  beforeAll(() => {
    waiting = Array.from({ length: 80 }, () => openSocket(harness.gateway.url, '/api/events/out'));
  });

  it('DS-01: a thousand guessed tokens fill nothing, and a good one goes on', async () => {
    await floodWithGuesses(harness, 1_000);
  });

  it('DS-01: one token with thousands of ids and user names keeps the cache bounded', async () => {
    await floodWithKeys(harness, 3_000);
  });

  it('DS-01: sockets without a first frame are bounded and end, and others get theirs', async () => {
    const ends = await Promise.all(waiting.map(({ ended }) => ended));
    expect(
      ends.every(({ code, status }) => code === 1008 || code === 1012 || status !== null),
      JSON.stringify(ends.slice(0, 3)),
    ).toBe(true);
    expectNothingUpstream(harness);
    const good = openSocket(harness.gateway.url, '/api/events/out', { first: { type: 'auth', token: `any:${harness.viewer}` } });
    await waitFor(() => good.frames().length > 0, { what: 'auth_success after the flood' });
    good.close();
  });

  it('DS-02: upgrades that leave at once keep no socket of others waiting, from the same address too, and hold no descriptors', async () => {
    await floodWithUpgrades(harness, { perSecond: 200, addresses: 3, withinMs: 20_000, ahead: 200 });
  });

  it('DS-02: a socket with a credential opens although no other upgrade is taken; twin: one without is answered 503 until one is', async () => {
    const socket = join(harness.gateway.stateDir, 'run', 'anonymous.sock');
    const byHeader = () => openSocket(harness.gateway.url, '/api/events/in', { headers: { authorization: `Bearer ${harness.admin}` } });
    const byFrame = () => openSocket(harness.gateway.url, '/api/events/in', { first: authFrame(harness.admin) });
    renameSync(socket, `${socket}.away`);
    try {
      const open = byHeader();
      expect(await open.opened).toBe(true);
      open.close();
      expect((await byFrame().ended).status).toBe(503);
    } finally {
      renameSync(`${socket}.away`, socket);
    }
    const open = byFrame();
    expect(await open.opened).toBe(true);
    open.close();
  });

  it('DS-01: logins in parallel neither block other requests nor go on without end', async () => {
    const attempts = Array.from({ length: 40 }, (_, index) =>
      fetch(`${harness.gateway.url}/.lictor/login`, {
        method: 'POST',
        redirect: 'manual',
        headers: { origin: harness.gateway.url },
        body: new URLSearchParams({ username: `nobody-${index % 5}`, password: 'wrong' }),
      }).then(({ status }) => status),
    );
    expect((await harness.gateway.fetch(PATH, { token: harness.viewer })).status).toBe(200);
    const statuses = await Promise.all(attempts);
    expect(
      statuses.every((status) => status === 401 || status === 429),
      statuses.join(' '),
    ).toBe(true);
    expect(statuses).toContain(429);
  });
});
