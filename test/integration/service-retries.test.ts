// How often calls of services that broke off are made again: attempts, and the budget that keeps a storm of failures from becoming one of repeats.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Gateway, startGateway, type Token } from '../env/gateway.ts';
import { ledgerReadsOn } from '../env/ledger-reads-on.ts';
import { type Served, serve } from '../env/service.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';
import { expectRefusal } from './attacks/harness.ts';

const directory = mkdtempSync(join(tmpdir(), 'lictor-test-retries-'));
let prefect: Recorder;
let sound: Recorder;
let breaking: readonly Served[];
let gateway: Gateway;
let caller: Token;
/** Calls that a breaking server has read before it broke the connection. */
const broken: string[] = [];

beforeAll(async () => {
  [prefect, sound] = await Promise.all([startRecorder(), startRecorder()]);
  const breaks: Parameters<typeof serve>[0] = (request, response) => {
    if (request.url === '/health') return void response.end();
    broken.push(`${request.method} ${request.url}`);
    request.socket.destroy();
  };
  breaking = await Promise.all([serve(breaks), serve(breaks), serve(breaks)]);
  const bad = breaking.map(({ port }) => `http://127.0.0.1:${port}`);
  writeFileSync(
    join(directory, 'all.cedar'),
    '@id("caller-calls")\npermit (principal == Principal::"token:caller", action == Action::"services.call", resource);\n',
  );
  const health = { path: '/health' };
  gateway = await startGateway({
    upstream: prefect,
    config: {
      policies: directory,
      limits: [{ for: '*', rate: '100000/s', burst: 100_000 }],
      services: [
        { name: 'twice', servers: [bad[0], sound.url], retries: { attempts: 2 } },
        { name: 'spare', servers: [bad[0], { url: sound.url, backup: true }], retries: { attempts: 2 } },
        { name: 'spares', servers: [bad[0], { url: bad[1], backup: true }, { url: bad[2], backup: true }], retries: { attempts: 3 } },
        { name: 'once', servers: [bad[0]], retries: { attempts: 1 } },
        { name: 'storm', servers: bad, health, retries: { attempts: 3 } },
        { name: 'bounded', servers: bad, health, retries: { attempts: 3, budget: '10%' } },
        { name: 'sound', servers: [sound.url], retries: { attempts: 3, budget: '10%' } },
      ],
    },
  });
  caller = await gateway.token('caller', ['viewer']);
});
beforeEach(() => {
  broken.length = 0;
  sound.clear();
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([prefect, sound, ...(breaking ?? [])].map((server) => server?.close()));
  rmSync(directory, { recursive: true });
});

const call = (path: string, init: Parameters<Gateway['fetch']>[1] = {}) => gateway.fetch(`/.lictor/svc${path}`, { token: caller.secret, ...init });

async function calls(path: string, count: number): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (let made = 0; made < count; made += 1) statuses.push((await call(path)).status);
  return statuses;
}

describe('a call that breaks off', () => {
  it('is made again at another server, and one with a body is not', async () => {
    expect(new Set(await calls('/twice/a?b', 20))).toEqual(new Set([200]));
    expect(broken.length).toBeGreaterThan(0);
    expect(new Set(sound.seen().map(({ target }) => target))).toEqual(new Set(['/a?b']));
    broken.length = 0;
    // A server that broke a connection is left out for two seconds.
    await expect.poll(async () => (await call('/twice/a', { method: 'POST', body: 'x' })).status, { timeout: 30_000, interval: 200 }).toBe(503);
    expect(broken).toEqual(['POST /a']);
    expect(
      sound
        .seen()
        .filter(({ method }) => method === 'POST')
        .every(({ body }) => body.toString() === 'x'),
    ).toBe(true);
  });

  it('is made so often and no oftener', async () => {
    await expectRefusal(await call('/once/a'), 503, 'service-unavailable');
    expect(broken).toEqual(['GET /a']);
    broken.length = 0;
    await expectRefusal(await call('/storm/a'), 503, 'service-unavailable');
    expect(broken).toEqual(['GET /a', 'GET /a', 'GET /a']);
  });

  it('is made again at a backup, and backups count as any', async () => {
    expect(new Set(await calls('/spare/a', 10))).toEqual(new Set([200]));
    broken.length = 0;
    await expectRefusal(await call('/spares/a'), 503, 'service-unavailable');
    expect(broken).toHaveLength(3);
  });
});

describe('a storm of failures', () => {
  it('is three times as large where nothing bounds it', async () => {
    expect(new Set(await calls('/storm/a', 40))).toEqual(new Set([503]));
    expect(broken).toHaveLength(120);
  });

  it('grows by no more than the budget, which is for each service by itself', async () => {
    expect((await call('/sound/a')).status).toBe(200);
    let made = 0;
    // Some are counted meanwhile, so that some may be made again.
    while (made < 200 || broken.length === made) {
      expect(new Set(await calls('/bounded/a', 40))).toEqual(new Set([503]));
      made += 40;
      await ledgerReadsOn(gateway.stateDir);
      expect(made).toBeLessThan(4_000);
    }
    expect(broken.length).toBeGreaterThan(made);
    expect(broken.length).toBeLessThanOrEqual(made * 1.1);
  });
});
