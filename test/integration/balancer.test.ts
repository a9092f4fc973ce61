// Prefect servers behind the edge: members leave and come back without a reload, nothing is sent twice, and no 401 of theirs is a client's.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { downFile } from '../../src/config/down-file.ts';
import { request } from '../env/raw-request.ts';
import { type StubEdge, startStubEdge } from '../env/stub-edge.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

let edge: StubEdge;
let one: Recorder;
let other: Recorder;
beforeAll(async () => {
  [one, other] = [await startRecorder(), await startRecorder()];
  edge = await startStubEdge({
    prefect: { servers: [one.url, other.url], authString: 'gate:way', apiKey: null, credentialFile: null, next: null, caFile: null, answerTimeoutMs: 55_000 },
  });
});
afterAll(() => edge.stop());
beforeEach(() => {
  for (const recorder of [one, other]) {
    recorder.clear();
    recorder.answerWith(undefined);
    rmSync(downFile(edge.paths, recorder.url), { force: true });
  }
});

function post(path = '/api/flow_runs/filter', to = edge): Promise<Response> {
  return fetch(`${to.url}${path}`, { method: 'POST', headers: { 'x-lictor-token': 'tok', 'content-type': 'application/json' }, body: '{"a":1}' });
}

async function statuses(count: number, to = edge): Promise<readonly number[]> {
  const found: number[] = [];
  for (let i = 0; i < count; i += 1) found.push((await post('/api/flow_runs/filter', to)).status);
  return found;
}

describe('several servers', () => {
  it("share the load, with the gateway's credential and the body whole", async () => {
    expect(new Set(await statuses(20))).toEqual(new Set([200]));
    expect([one.seen().length > 5, other.seen().length > 5]).toEqual([true, true]);
    for (const seen of [...one.seen(), ...other.seen()]) {
      expect(seen.body.toString()).toBe('{"a":1}');
      expect(seen.headers['authorization']).toBe(`Basic ${Buffer.from('gate:way').toString('base64')}`);
      expect(Object.keys(seen.headers).filter((name) => name.startsWith('x-lictor'))).toEqual([]);
    }
  });

  it('one that is marked down gets nothing, and is back when the mark goes; nginx is not reloaded', async () => {
    const pid = readFileSync(edge.paths.nginxPid, 'utf8');
    writeFileSync(downFile(edge.paths, one.url), '');
    expect(new Set(await statuses(12))).toEqual(new Set([200]));
    expect([one.seen().length, other.seen().length]).toEqual([0, 12]);
    rmSync(downFile(edge.paths, one.url));
    await statuses(12);
    expect(one.seen().length).toBeGreaterThan(3);
    expect(readFileSync(edge.paths.nginxPid, 'utf8')).toBe(pid);
  });

  it("Prefect's own 400, 404, 500 and 503 pass unchanged and are asked once", async () => {
    for (const status of [400, 404, 500, 503]) {
      one.clear();
      other.clear();
      for (const recorder of [one, other]) recorder.answerWith(() => ({ status, headers: { 'content-type': 'application/json' }, body: '{"own":true}' }));
      const response = await post();
      expect([response.status, await response.text()]).toEqual([status, '{"own":true}']);
      expect(one.seen().length + other.seen().length).toBe(1);
    }
  });

  it('one that refuses our credential is passed over, and its 401 reaches nobody: it would end stock workers', async () => {
    one.answerWith(() => ({ status: 401, body: '{"exception_message":"Unauthorized"}' }));
    expect(new Set(await statuses(8))).toEqual(new Set([200]));
    expect(other.seen()).toHaveLength(8);
    other.answerWith(() => ({ status: 401, body: '{"exception_message":"Unauthorized"}' }));
    const response = await post();
    expect([response.status, response.headers.get('retry-after'), response.headers.get('prefect-maintenance')]).toEqual([503, '2', 'true']);
    expect(await response.json()).toMatchObject({ code: 'upstream-unavailable', request_id: response.headers.get('x-request-id') });
  });

  it.each([
    ['a malformed chunk', 'zz\r\n[]\r\n0\r\n\r\n', 400, 'request-invalid'],
    ['a chunk beyond the limit', `1400000\r\n${'a'.repeat(1000)}`, 413, 'body-too-large'],
  ])('%s is refused in our words, and nobody sees it', async (_what, chunks, status, code) => {
    const lines = ['POST /api/logs/ HTTP/1.1', `Host: localhost:${edge.port}`, 'X-Lictor-Token: tok', 'Content-Type: application/json'];
    const answer = await request(edge.port, [...lines, 'Transfer-Encoding: chunked'], chunks);
    expect(answer.statuses).toEqual([status]);
    expect(answer.text).toContain(`"code":"${code}"`);
    expect(answer.text).not.toContain('<html>');
    expect([...one.seen(), ...other.seen()]).toEqual([]);
  });

  it('a target arrives byte for byte through the balancer', async () => {
    const target = '/api/variables/name/a%20b%3Fc?x=%2F..;';
    const response = await fetch(`${edge.url}${target}`, { headers: { 'x-lictor-token': 'tok' } });
    expect(response.status).toBe(200);
    expect([...one.seen(), ...other.seen()].map((seen) => seen.target)).toEqual([target]);
  });

  it('one that is gone costs no request, not even a POST; when all are gone it is 503 that may be repeated', async () => {
    const [left, gone] = [await startRecorder(), await startRecorder()];
    const pair = await startStubEdge({
      prefect: { servers: [left.url, gone.url], authString: null, apiKey: null, credentialFile: null, next: null, caFile: null, answerTimeoutMs: 55_000 },
    });
    try {
      await gone.close();
      expect(new Set(await statuses(20, pair))).toEqual(new Set([200]));
      expect(left.seen()).toHaveLength(20);
      await left.close();
      const response = await post('/api/flow_runs/filter', pair);
      expect([response.status, response.headers.get('retry-after'), response.headers.get('prefect-maintenance')]).toEqual([503, '2', 'true']);
      expect(await response.json()).toMatchObject({ code: 'upstream-unavailable', request_id: response.headers.get('x-request-id') });
    } finally {
      await pair.stop();
    }
  });

  it('one that dies with a request in hand: 503 without a promise, and nobody else gets the request', async () => {
    const breaking = await startBreaking();
    const healthy = await startRecorder();
    const pair = await startStubEdge({
      prefect: {
        servers: [breaking.url, healthy.url],
        authString: null,
        apiKey: null,
        credentialFile: null,
        next: null,
        caFile: null,
        answerTimeoutMs: 55_000,
      },
    });
    try {
      const responses = [];
      for (let i = 0; i < 10; i += 1) responses.push(await post('/api/logs/', pair));
      const failed = responses.filter((response) => response.status !== 200);
      expect(failed.length).toBeGreaterThan(0);
      expect(new Set(failed.map((response) => [response.status, response.headers.get('prefect-maintenance')].join()))).toEqual(new Set(['503,']));
      expect(healthy.seen().length + failed.length).toBe(10);
      expect(breaking.received()).toBe(failed.length);
    } finally {
      await pair.stop();
      await breaking.close();
      await healthy.close();
    }
  });
});

describe('a server that takes requests and answers none', () => {
  const hanging = async (healthy: readonly Recorder[], answerTimeoutMs: number): Promise<{ gateway: StubEdge; stop: () => Promise<void> }> => {
    const mute = await listen((socket) => void socket.resume());
    const servers = [mute.url, ...healthy.map(({ url }) => url)];
    const gateway = await startStubEdge({
      prefect: { servers, authString: null, apiKey: null, credentialFile: null, next: null, caFile: null, answerTimeoutMs },
    });
    const stop = (): Promise<void> => gateway.stop().then(mute.close);
    return { gateway, stop };
  };
  /** The healthy one is of this process: given up as well, it would have what nobody else gets. */
  const HEALTHY_WITHIN_MS = 8_000;
  /** The request may have been carried out: no promise. */
  const GIVEN_UP = [503, '2', null, 'upstream-unavailable'];
  const endOf = async (response: Response) => {
    const body: unknown = await response.json();
    const code = typeof body === 'object' && body !== null && 'code' in body ? body.code : undefined;
    return [response.status, response.headers.get('retry-after'), response.headers.get('prefect-maintenance'), code];
  };

  it('is given up by prefect.timeout, whichever way the request goes', async () => {
    const { gateway, stop } = await hanging([], 1_000);
    try {
      const body = 'x'.repeat(200_000);
      const asked = [
        fetch(`${gateway.url}/api/flows/00000000-0000-4000-8000-000000000001`, { headers: { 'x-lictor-token': 'tok' } }),
        post('/api/logs/', gateway),
      ];
      const large = fetch(`${gateway.url}/api/logs/`, { method: 'POST', headers: { 'x-lictor-token': 'tok', 'content-type': 'application/json' }, body });
      for (const response of await Promise.all([...asked, large])) expect(await endOf(response)).toEqual(GIVEN_UP);
    } finally {
      await stop();
    }
  });

  it('and nobody else gets what it has', async () => {
    const healthy = await startRecorder();
    const { gateway, stop } = await hanging([healthy], HEALTHY_WITHIN_MS);
    try {
      const responses = await Promise.all(Array.from({ length: 6 }, () => post('/api/logs/', gateway)));
      const failed = responses.filter(({ status }) => status !== 200);
      expect(failed.length).toBeGreaterThan(0);
      for (const response of failed) expect(await endOf(response)).toEqual(GIVEN_UP);
      expect(healthy.seen().length).toBe(6 - failed.length);
    } finally {
      await stop();
      await healthy.close();
    }
  });
});

describe('one server', () => {
  let sole: StubEdge;
  beforeAll(async () => {
    sole = await startStubEdge();
  });
  afterAll(() => sole.stop());
  beforeEach(() => {
    sole.clear();
    sole.upstream.answerWith(undefined);
  });

  const long = JSON.stringify({ a: 'x'.repeat(200_000) });
  const ask = (method: string, path: string, body?: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    fetch(`${sole.url}${path}`, {
      method,
      headers: { 'x-lictor-token': 'tok', ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body }),
    });
  const chunked = (): Promise<Response> =>
    fetch(`${sole.url}/api/logs/`, {
      method: 'POST',
      headers: { 'x-lictor-token': 'tok', 'content-type': 'application/json' },
      body: new Blob(['[]']).stream(),
      duplex: 'half',
    });
  const WAYS: readonly (readonly [string, () => Promise<Response>])[] = [
    ['a read', () => ask('GET', '/api/flows/00000000-0000-4000-8000-000000000001')],
    ['a filter', () => ask('POST', '/api/flow_runs/filter', '{"limit":10}')],
    ['a body that does not fit into memory', () => ask('POST', '/api/logs/', long)],
    ['a body of no said length', chunked],
    ['the UI', () => ask('GET', '/assets/index.css')],
  ];

  it.each(WAYS)('that refuses our credential is 503 that may be repeated, not its 401, for %s', async (_what, send) => {
    sole.upstream.answerWith(() => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="p"' }, body: '{"exception_message":"Unauthorized"}' }));
    const response = await send();
    expect([response.status, response.headers.get('retry-after'), response.headers.get('prefect-maintenance')]).toEqual([503, '2', 'true']);
    expect(await response.json()).toMatchObject({ code: 'upstream-unavailable', request_id: response.headers.get('x-request-id') });
    expect(sole.upstream.seen()).toHaveLength(1);
  });

  it.each(WAYS)('every other answer passes as it is, for %s', async (_what, send) => {
    for (const status of [201, 400, 403, 404, 405, 409, 413, 422, 429, 500, 503]) {
      sole.upstream.answerWith(() => ({ status, headers: { 'x-own': 'yes' }, body: '{"own":true}' }));
      const response = await send();
      expect([response.status, await response.text(), response.headers.get('x-own'), response.headers.get('prefect-maintenance')]).toEqual([
        ...[status, '{"own":true}', 'yes', null],
      ]);
    }
  });

  it.each([
    ['a malformed chunk', 'zz\r\n[]\r\n0\r\n\r\n', 400, 'request-invalid'],
    ['a chunk beyond the limit', `1400000\r\n${'a'.repeat(1000)}`, 413, 'body-too-large'],
  ])('%s is refused in our words, and nobody sees it', async (_what, chunks, status, code) => {
    const lines = ['POST /api/logs/ HTTP/1.1', `Host: localhost:${sole.port}`, 'X-Lictor-Token: tok', 'Content-Type: application/json'];
    const answer = await request(sole.port, [...lines, 'Transfer-Encoding: chunked'], chunks);
    expect(answer.statuses).toEqual([status]);
    expect(answer.text).toContain(`"code":"${code}"`);
    expect(answer.text).not.toContain('<html>');
    expect(sole.upstream.seen()).toEqual([]);
  });

  it('that is gone is 503 that may be repeated, on every way', async () => {
    await sole.upstream.pause();
    try {
      for (const [what, send] of WAYS) {
        const response = await send();
        expect([response.status, response.headers.get('retry-after'), response.headers.get('prefect-maintenance')], what).toEqual([503, '2', 'true']);
      }
    } finally {
      await sole.upstream.resume();
    }
  });
});

/** Takes a request and breaks the connection. */
async function startBreaking(): Promise<{ url: string; received: () => number; close: () => Promise<void> }> {
  let received = 0;
  const server = await listen((socket) => {
    socket.once('data', () => {
      received += 1;
      socket.destroy();
    });
  });
  return { ...server, received: () => received };
}

async function listen(take: (socket: Socket) => void): Promise<{ url: string; close: () => Promise<void> }> {
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket.on('error', () => undefined));
    take(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = (): Promise<void> => {
    for (const socket of open) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${port}`, close };
}
