// research rows FL, DS: when parts fail it closes, and when somebody floods it others go on.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { signalProcess, waitFor } from '../../env/process.ts';
import { openSocket } from '../../env/socket.ts';
import { expectNothingUpstream, useHarness } from './harness.ts';

// Floods must meet the defences, not the identity limit.
const harness = useHarness({ config: { limits: [{ for: '*', rate: '5000/s', burst: 10000 }] } });
const PATH = '/api/work_pools/p';

describe('FL-01: fail closed', () => {
  afterEach(() => waitFor(() => harness.gateway.isReady(), { what: 'the gateway to be ready again', timeoutMs: 30_000 }));

  it('FL-01: a control plane that hangs means 503 with Retry-After for whoever was not decided before, and no forward', async () => {
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

describe('DS-01: exhaustion', () => {
  const guess = (index: number) => `lct_${index.toString().padStart(68, '0')}`;

  it('DS-01: thousands of guessed tokens fill nothing, and a good one goes on', async () => {
    await inParallel(3_000, async (index) => {
      const response = await harness.gateway.fetch(PATH, { token: guess(index) });
      expect([401, 429]).toContain(response.status);
      await response.arrayBuffer();
    });
    expectNothingUpstream(harness);
    expect(cacheFiles()).toBeLessThan(100);
    expect((await harness.gateway.fetch(PATH, { token: harness.viewer })).status).toBe(200);
  });

  it('DS-01: one token with thousands of ids and user names keeps the cache bounded', async () => {
    await inParallel(3_000, async (index) => {
      const authorization = `Basic ${Buffer.from(`user-${index}:${harness.viewer}`).toString('base64')}`;
      const response = await harness.gateway.fetch(`/api/work_pools/pool-${index}`, { headers: { authorization } });
      expect(response.status).toBe(200);
      await response.arrayBuffer();
    });
    expect(cacheFiles()).toBeLessThan(2_500);
    expect((await harness.gateway.fetch(PATH, { token: harness.operator })).status).toBe(200);
  });

  it('DS-01: sockets without a first frame are bounded and end, and others get theirs', async () => {
    const waiting = Array.from({ length: 80 }, () => openSocket(harness.gateway.url, '/api/events/out'));
    const ends = await Promise.all(waiting.map(({ ended }) => ended));
    expect(
      ends.every(({ code, status }) => code === 1008 || code === 1013 || status !== null),
      JSON.stringify(ends.slice(0, 3)),
    ).toBe(true);
    expectNothingUpstream(harness);
    const good = openSocket(harness.gateway.url, '/api/events/out', { first: { type: 'auth', token: `any:${harness.viewer}` } });
    await waitFor(() => good.frames().length > 0, { what: 'auth_success after the flood' });
    good.close();
  }, 60_000);

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

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: 16 }, lane));
}

function cacheFiles(): number {
  const cache = join(harness.gateway.stateDir, 'run', 'decisions');
  return readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(cache, name), { throwIfNoEntry: false })?.isFile() === true)
    .length;
}
