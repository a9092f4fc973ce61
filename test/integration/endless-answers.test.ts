// Answers of services that never end, are too large or break off, at cacheable paths: they pass, and the cache stores none of them.
import { mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { statePaths } from '../../src/config/state-dir.ts';
import { nginxWorkerUser } from '../../src/config/worker-user.ts';
import { tempDirAt } from '../../src/edge/nginx/temp-dir.ts';
import { type Gateway, startGateway, type Token } from '../env/gateway.ts';
import { waitFor } from '../env/process.ts';
import { type Served, serve } from '../env/service.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';
import { expectRefusal } from './attacks/harness.ts';

const MOST = 50_000;
const PIECE = Buffer.alloc(64 << 10, 'x');
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-endless-'));
let prefect: Recorder;
let service: Served;
let gateway: Gateway;
let caller: Token;
/** Targets in the order of their calls. */
const asked: string[] = [];
const endless = new Set<ServerResponse>();

beforeAll(async () => {
  [prefect, service] = await Promise.all([startRecorder(), serve((request, response) => answer(request.url ?? '', request.method ?? '', response))]);
  writeFileSync(
    join(directory, 'all.cedar'),
    '@id("caller-calls")\npermit (principal == Principal::"token:caller", action == Action::"services.call", resource);\n',
  );
  const servers = [`http://127.0.0.1:${service.port}`];
  const cache = [
    { paths: ['/small/*'], ttl: '1h', max_answer: '50kB' },
    { paths: ['/*'], ttl: '1h' },
  ];
  gateway = await startGateway({
    upstream: prefect,
    config: {
      policies: directory,
      limits: [{ for: '*', rate: '100000/s', burst: 100_000 }],
      services: [
        { name: 'plain', servers, cache },
        { name: 'again', servers: [...servers, `http://localhost:${service.port}`], cache, retries: { attempts: 2 } },
        { name: 'late', servers, cache, timeout: '1s' },
        { name: 'away', servers: ['http://127.0.0.1:9'], cache },
      ],
    },
  });
  caller = await gateway.token('caller', ['viewer']);
});
beforeEach(() => {
  asked.length = 0;
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([prefect?.close(), service?.close()]);
  rmSync(directory, { recursive: true });
});

/** `/…/said/N` and `/…/unsaid/N`: so many bytes, with their length and without. */
function answer(url: string, method: string, response: ServerResponse): void {
  asked.push(`${method} ${url}`);
  const [, kind, count = '0'] = /\/([a-z]+)\/([0-9]+)$/.exec(url) ?? [];
  const body = Buffer.alloc(Number(count), 'y');
  if (kind === 'said') return void response.writeHead(200, { 'content-length': body.length, lictorcache: 'stale' }).end(body);
  if (kind === 'unsaid') return void response.writeHead(200, { lictorcache: 'stale' }).end(body);
  if (kind === 'packed') return void response.writeHead(200, { 'content-encoding': 'x-own', trailer: 'x-sum' }).end(body);
  if (kind === 'short') response.writeHead(200, { 'content-length': body.length + 1 }).write(body, () => response.destroy());
  if (kind === 'broken') response.writeHead(200).write(body, () => response.destroy());
  if (kind === 'gone') response.destroy();
  if (kind === 'endless') pour(response);
}

function pour(response: ServerResponse): void {
  endless.add(response);
  response.writeHead(200, { lictorcache: 'stale' });
  response.once('close', () => endless.delete(response));
  const go = (): void => {
    if (response.destroyed) return;
    if (response.write(PIECE)) setImmediate(go);
    else response.once('drain', go);
  };
  go();
}

const call = (path: string, init: RequestInit = {}) => gateway.fetch(`/.lictor/svc${path}`, { token: caller.secret, ...init });
const lengthOf = async (path: string): Promise<number> => (await (await call(path)).bytes()).length;

/** Of all files that nginx's workers may write, also while they write them. */
function bytesOnDisk(): number {
  const paths = statePaths(gateway.stateDir, join(gateway.stateDir, 'run'));
  const files = readdirSync(tempDirAt(paths, nginxWorkerUser()), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name: file }) => sum + (statSync(join(parentPath, file), { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** Reads so many bytes, and goes. */
async function readSome(path: string, bytes: number): Promise<void> {
  const leaving = new AbortController();
  const response = await call(path, { signal: leaving.signal });
  let read = 0;
  for await (const piece of response.body ?? []) {
    read += piece.length;
    if (read > bytes) break;
  }
  leaving.abort();
}

/** Goes before anything has come. */
async function leave(path: string): Promise<void> {
  const leaving = new AbortController();
  const called = call(path, { signal: leaving.signal }).catch(() => undefined);
  await waitFor(() => asked.some((target) => path.endsWith(target.split(' ')[1] ?? '')), { what: 'the call', timeoutMs: 30_000 });
  leaving.abort();
  await called;
}

describe('an answer without an end', () => {
  it('passes as long as the client reads, ends at the service with the client, and leaves nothing on the disk', async () => {
    expect(await lengthOf('/plain/unsaid/1000000')).toBe(1_000_000);
    const before = bytesOnDisk();
    let most = 0;
    const watching = setInterval(() => {
      most = Math.max(most, bytesOnDisk());
    }, 20);
    try {
      const places = Array.from({ length: 10 }, (_, place) => place);
      await Promise.all(places.flatMap((place) => [readSome(`/plain/r/endless/${place}`, 20_000_000), leave(`/plain/l/endless/${place}`)]));
      await waitFor(() => endless.size === 0, { what: 'the service to be left alone', timeoutMs: 60_000 });
    } finally {
      clearInterval(watching);
    }
    expect(asked.filter((target) => target.includes('endless'))).toHaveLength(20);
    expect(Math.max(most, bytesOnDisk()) - before).toBeLessThan(100_000);
    expect(await lengthOf('/plain/unsaid/1000000')).toBe(1_000_000);
    expect(asked.filter((target) => target.includes('unsaid'))).toEqual(['GET /unsaid/1000000']);
  }, 120_000);
});

describe('max_answer', () => {
  it.each(['said', 'unsaid', 'packed'])('is the most that the cache stores of one answer: %s', async (kind) => {
    for (const _each of ['fetched', 'kept']) expect(await lengthOf(`/plain/small/${kind}/${MOST}`)).toBe(MOST);
    expect(asked).toEqual([`GET /small/${kind}/${MOST}`]);
    for (const _each of ['fetched', 'fetched']) expect(await lengthOf(`/plain/small/${kind}/${MOST + 1}`)).toBe(MOST + 1);
    expect(asked).toHaveLength(3);
  });

  it('is 10 MB without a word', async () => {
    for (const path of ['/plain/said/10000000', '/plain/unsaid/10000000'])
      for (const _each of ['fetched', 'kept']) expect(await lengthOf(path)).toBe(10_000_000);
    expect(asked).toHaveLength(2);
    for (const path of ['/plain/said/10000001', '/plain/unsaid/10000001'])
      for (const _each of ['fetched', 'fetched']) expect(await lengthOf(path)).toBe(10_000_001);
    expect(asked).toHaveLength(6);
  });
});

describe('a cacheable answer', () => {
  it.each(['said', 'unsaid'])('says its length, and nothing of how it was fetched: %s', async (kind) => {
    for (const _each of ['fetched', 'kept']) {
      const { headers } = await call(`/plain/head/${kind}/1000`);
      expect([headers.get('content-length'), headers.get('lictorcache')]).toEqual(['1000', null]);
    }
    for (const _each of ['fetched', 'kept']) expect((await call(`/plain/head/${kind}/1000`, { method: 'HEAD' })).status).toBe(200);
    expect(asked).toEqual([`GET /head/${kind}/1000`, `HEAD /head/${kind}/1000`]);
  });

  it('is not one that broke off', async () => {
    for (const _each of ['fetched', 'fetched']) await expect(lengthOf('/plain/short/1000')).rejects.toThrow();
    await expect(lengthOf('/plain/broken/1000')).rejects.toThrow();
    expect(asked.filter((target) => target === 'GET /short/1000')).toHaveLength(2);
    // A call that has received no byte yet is repeated.
    expect(asked.filter((target) => target === 'GET /broken/1000').length).toBeGreaterThan(1);
    expect((await call('/again/gone/0')).status).toBe(503);
    expect(asked.filter((target) => target === 'GET /gone/0')).toHaveLength(2);
  });

  it('has the gateway’s words where the service has none', async () => {
    await expectRefusal(await call('/late/never/0'), 503, 'service-timeout');
    await expectRefusal(await call('/away/said/1'), 503, 'service-unavailable');
    const records = await gateway.lictorOk('audit', '--since', '10m', '--principal', 'token:caller', '--json');
    for (const [name, reason] of Object.entries({ late: 'service-timeout', away: 'service-unavailable' }))
      expect(records).toMatch(new RegExp(`"reason":"${reason}"[^\\n]*"service":"${name}"|"service":"${name}"[^\\n]*"reason":"${reason}"`));
  });
});

it('without the service proxy calls are refused; what was stored before is still there', async () => {
  const socket = join(gateway.stateDir, 'run', 'proxy.sock');
  expect((statSync(socket).mode & 0o777).toString(8)).toBe('600');
  for (const _each of ['fetched', 'stored']) expect(await lengthOf('/plain/without/unsaid/1000')).toBe(1_000);
  renameSync(socket, `${socket}.away`);
  try {
    // nginx goes on with connections that it has open: so many calls at once need others.
    const statuses = async () => (await Promise.all(Array.from({ length: 100 }, () => call('/plain/without/said/1')))).map(({ status }) => status);
    await expect.poll(statuses, { timeout: 60_000 }).toContain(503);
  } finally {
    renameSync(`${socket}.away`, socket);
  }
  asked.length = 0;
  expect(await lengthOf('/plain/without/unsaid/1000')).toBe(1_000);
  expect(asked).toEqual([]);
});
