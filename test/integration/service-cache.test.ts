// The response cache of services: which answers it stores, for which principals, until when, and how fast it answers.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../env/free-port.ts';
import { type Gateway, jsonLines, startGateway, type Token } from '../env/gateway.ts';
import { waitFor } from '../env/process.ts';
import { request } from '../env/raw-request.ts';
import { type RecordedAnswer, type Recorder, startRecorder } from '../env/upstream-recorder.ts';
import { bearerLine, expectRefusal } from './attacks/harness.ts';

const POLICIES = `@id("callers-call")
permit (principal, action == Action::"services.call", resource)
when { principal == Principal::"token:caller" || principal == Principal::"token:other" };
`;
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-cache-'));
let service: Recorder;
let prefect: Recorder;
let gateway: Gateway;
let caller: Token;
let other: Token;
let stranger: Token;
let metricsPort: number;

beforeAll(async () => {
  writeFileSync(join(directory, 'services.cedar'), POLICIES);
  [service, prefect] = await Promise.all([startRecorder(), startRecorder()]);
  const servers = [service.url];
  const allow = [{ methods: ['GET', 'POST'], paths: ['/*'] }];
  metricsPort = await freePort();
  gateway = await startGateway({
    upstream: prefect,
    config: {
      policies: directory,
      metrics: { listen: `127.0.0.1:${metricsPort}` },
      limits: [{ for: '*', rate: '100000/s', burst: 100_000 }],
      services: [
        { name: 'slow', servers, limit: { bandwidth: '1MB/s' } },
        { name: 'free', servers },
        { name: 'own', servers, allow, forward_headers: ['X-Tenant'], cache: [{ paths: ['/v1/*'], ttl: '1h' }] },
        { name: 'shared', servers, allow, forward_headers: ['X-Tenant'], cache: [{ paths: ['/v1/*'], ttl: '1h', shared: true }] },
        { name: 'says', servers, allow, cache: [{ paths: ['/v1/*'], ttl: 'upstream' }] },
        { name: 'brief', servers, allow, cache: [{ paths: ['/v1/*'], ttl: '1s', stale_if_error: '6s' }] },
        { name: 'lasting', servers, allow, cache: [{ paths: ['/v1/*'], ttl: '1s', stale_if_error: '1h' }] },
        { name: 'strict', servers, allow, cache: [{ paths: ['/v1/*'], ttl: '1s' }] },
      ],
    },
  });
  [caller, other, stranger] = (await Promise.all(['caller', 'other', 'stranger'].map((name) => gateway.token(name, ['viewer'])))) as [Token, Token, Token];
});
beforeEach(() => {
  service.clear();
  numbered();
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([service, prefect].map((recorder) => recorder?.close()));
  rmSync(directory, { recursive: true });
});

/** Each answer is another one. */
let answers = 0;
function numbered(headers: RecordedAnswer['headers'] = {}, status = 200): void {
  service.answerWith(() => {
    answers += 1;
    return { status, headers, body: `answer ${answers}` };
  });
}

const call = (path: string, { secret }: Token = caller, init: RequestInit = {}) => gateway.fetch(`/.lictor/svc${path}`, { ...init, token: secret });
const text = async (path: string, by: Token = caller, headers: Record<string, string> = {}) => (await call(path, by, { headers })).text();
const asked = (): readonly string[] => service.seen().map(({ method, target }) => `${method} ${target}`);

describe('a cached answer', () => {
  it('is its own of each principal, and nobody else asks less of the gateway', async () => {
    const [mine, again, theirs] = [await text('/own/v1/a'), await text('/own/v1/a'), await text('/own/v1/a', other)];
    expect(again).toBe(mine);
    expect(theirs).not.toBe(mine);
    expect(asked()).toEqual(['GET /v1/a', 'GET /v1/a']);
    await expectRefusal(await call('/own/v1/a', stranger), 403, 'policy-default-deny');
    expect((await gateway.fetch('/.lictor/svc/own/v1/a')).status).toBe(401);
  });

  it('is shared where that is declared, but not with a principal that may not call', async () => {
    const mine = await text('/shared/v1/a');
    expect(await text('/shared/v1/a', other)).toBe(mine);
    expect(asked()).toEqual(['GET /v1/a']);
    await expectRefusal(await call('/shared/v1/a', stranger), 403, 'policy-default-deny');
  });

  it('is not answered after the right to call is gone', async () => {
    const theirs = await text('/shared/v1/right', other);
    expect(await text('/shared/v1/right', other)).toBe(theirs);
    writeFileSync(join(directory, 'services.cedar'), POLICIES.replace(' || principal == Principal::"token:other"', ''));
    await gateway.lictorOk('policy', 'apply');
    await expectRefusal(await call('/shared/v1/right', other), 403, 'policy-default-deny');
    expect(await text('/shared/v1/right')).toBe(theirs);
    writeFileSync(join(directory, 'services.cedar'), POLICIES);
    await gateway.lictorOk('policy', 'apply');
    expect(await text('/shared/v1/right', other)).toBe(theirs);
    await gateway.lictorOk('lock', 'token:other');
    await expectRefusal(await call('/shared/v1/right', other), 403, 'locked');
    await gateway.lictorOk('unlock', 'token:other');
    expect(await text('/shared/v1/right', other)).toBe(theirs);
  });

  it('is purged by lictor services purge, of this service alone; one on its way is not answered either', async () => {
    const [mine, shared] = [await text('/own/v1/purged'), await text('/shared/v1/purged')];
    const { promise, resolve } = Promise.withResolvers<RecordedAnswer>();
    service.answerWith(() => promise);
    const onItsWay = text('/own/v1/on-its-way');
    await waitFor(() => asked().includes('GET /v1/on-its-way'), { what: 'a call on its way' });
    expect(await gateway.lictorOk('services', 'purge', 'own')).toBe('The cached answers of own are purged.\n');
    resolve({ status: 200, body: 'from before' });
    expect(await onItsWay).toBe('from before');
    numbered();
    expect(await text('/own/v1/on-its-way')).not.toBe('from before');
    expect(await text('/own/v1/purged')).not.toBe(mine);
    expect(await text('/shared/v1/purged')).toBe(shared);
    expect((await gateway.lictor('services', 'purge', 'free')).code).toBe(2);
    expect(await gateway.lictorOk('audit', '--action', 'service.purge', '--json')).toContain('"resource_id":"own"');
  });

  it('is fetched once, however many ask for it at once', async () => {
    const { promise, resolve } = Promise.withResolvers<RecordedAnswer>();
    service.answerWith(() => promise);
    const reads = Array.from({ length: 200 }, () => text('/shared/v1/busy'));
    await waitFor(() => asked().length > 0, { what: 'the first call' });
    resolve({ status: 200, body: 'one for all' });
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['one for all']));
    expect(asked()).toEqual(['GET /v1/busy']);
  });

  it('is of one service, path, query as it is written, method, and what the answer may depend on', async () => {
    const forms: readonly (readonly [string, Record<string, string>?])[] = [
      ['/shared/v1/k?a=1&b=2'],
      ['/shared/v1/k?b=2&a=1'],
      ['/shared/v1/k?a=1&b=%32'],
      ['/shared/v1/k'],
      ['/shared/v1/k?'],
      ['/shared/v1/K'],
      ['/own/v1/k'],
      ['/shared/v1/k', { accept: 'text/csv' }],
      ['/shared/v1/k', { 'accept-language': 'de' }],
      ['/shared/v1/k', { 'x-tenant': 'b' }],
      ['/shared/v1/k', { accept: 'text/csv', 'x-tenant': 'b' }],
    ];
    const first = [];
    for (const [path, headers] of forms) first.push(await text(path, caller, headers));
    expect(new Set(first).size).toBe(forms.length);
    for (const [index, [path, headers]] of forms.entries()) expect(await text(path, caller, headers)).toBe(first[index]);
    expect(asked()).toHaveLength(forms.length);
    expect((await call('/shared/v1/k', caller, { method: 'HEAD' })).status).toBe(200);
    expect(asked().at(-1)).toBe('HEAD /v1/k');
    expect(await text('/shared/v1/k')).toBe(first[3]);
  });

  it('depends on what the service says that it varies by', async () => {
    numbered({ vary: 'X-Tenant, User-Agent' });
    const of = (agent: string) => text('/own/v1/vary', caller, { 'user-agent': agent });
    const one = await of('one');
    expect(await of('one')).toBe(one);
    expect(await of('two')).not.toBe(one);
    numbered({ vary: '*' });
    expect(await text('/own/v1/star')).not.toBe(await text('/own/v1/star'));
  });

  it('is fetched for everybody without what one caller alone chooses', async () => {
    const headers = { 'user-agent': '<evil>', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=b' };
    await text('/shared/v1/poison', caller, headers);
    const names = ['user-agent', 'traceparent', 'tracestate', 'x-forwarded-for'];
    expect(names.filter((name) => service.seen()[0]?.headers[name] !== undefined)).toEqual([]);
    await text('/own/v1/poison', caller, headers);
    expect(names.filter((name) => service.seen()[1]?.headers[name] !== undefined)).toEqual(names);
  });

  it('has the headers of every answer of a service', async () => {
    numbered({
      'content-type': 'text/html',
      'x-accel-redirect': '/api/health',
      'x-accel-expires': '0',
      location: 'https://evil.example/',
      'access-control-allow-origin': '*',
    });
    for (const _round of ['miss', 'hit']) {
      const { headers } = await call('/shared/v1/page');
      expect(headers.get('content-security-policy')).toBe("sandbox; default-src 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect([headers.get('location'), headers.get('access-control-allow-origin'), headers.get('lictorcache')]).toEqual([null, null, null]);
    }
    expect(asked()).toEqual(['GET /v1/page']);
    const ids = [await call('/shared/v1/page'), await call('/shared/v1/page')].map(({ headers }) => headers.get('x-request-id'));
    expect(new Set(ids).size).toBe(2);
  });

  it('answers what is asked for only if it has changed', async () => {
    numbered({ etag: '"one"' });
    expect((await call('/own/v1/etag', caller, { headers: { 'if-none-match': '"one"' } })).status).toBe(304);
    expect((await call('/own/v1/etag', caller, { headers: { 'if-none-match': '"two"' } })).status).toBe(200);
    expect(service.seen().map(({ headers }) => headers['if-none-match'])).toEqual([undefined]);
  });

  it('stands in memory alone, and in no file of the gateway', async () => {
    const body = `only in memory ${'m'.repeat(200_000)}`;
    service.answerWith(() => ({ status: 200, body }));
    for (const _each of ['fetched', 'stored']) expect(await text('/own/v1/memory')).toBe(body);
    expect(asked()).toEqual(['GET /v1/memory']);
    const files = [gateway.stateDir, join(gateway.stateDir, 'run')].flatMap((root) =>
      readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
    );
    expect(files.length).toBeGreaterThan(10);
    expect(files.map(({ parentPath, name }) => join(parentPath, name)).filter((file) => readFileSync(file).includes('only in memory'))).toEqual([]);
  });
});

describe('answers that are not cached', () => {
  const never: readonly (readonly [string, Record<string, string>, number])[] = [
    ['no-store', { 'cache-control': 'no-store' }, 200],
    ['private', { 'cache-control': 'max-age=60, private' }, 200],
    ['no-cache', { 'cache-control': 'no-cache' }, 200],
    ['a cookie', { 'set-cookie': 'a=b' }, 200],
    ['an error', {}, 500],
    ['nothing there', {}, 404],
    ['a part', { 'content-range': 'bytes 0-1/2' }, 206],
    ['a stream', { 'content-type': 'text/event-stream' }, 200],
  ];
  it.each(never)('%s', async (what, headers, status) => {
    numbered(headers, status);
    const path = `/own/v1/never-${what.replaceAll(' ', '-')}`;
    expect(await text(path)).not.toBe(await text(path));
    numbered();
    const kept = await text(`${path}-otherwise`);
    expect(await text(`${path}-otherwise`)).toBe(kept);
  });

  it.each([
    ['a part', { range: 'bytes=0-1' }],
    ['a precondition', { 'if-match': '"x"' }],
    ['a preference', { prefer: 'return=minimal' }],
    ['an idempotency key', { 'idempotency-key': 'k' }],
    ['a stream', { accept: 'text/event-stream' }],
  ])('what is asked for with %s', async (_what, headers: Record<string, string>) => {
    const kept = await text('/own/v1/plain');
    expect(await text('/own/v1/plain', caller, headers)).not.toBe(kept);
    expect(await text('/own/v1/plain')).toBe(kept);
    const [name = ''] = Object.keys(headers);
    expect(service.seen().at(-1)?.headers[name]).toBe(headers[name]);
  });

  it('a call with a body, a POST, and a path that no rule names', async () => {
    const kept = await text('/own/v1/plain');
    const lines = ['GET /.lictor/svc/own/v1/plain HTTP/1.1', `Host: localhost:${gateway.port}`, bearerLine(caller.secret), 'Content-Length: 2'];
    const { text: raw, statuses } = await request(gateway.port, lines, 'hi');
    expect([statuses, raw.includes(kept)]).toEqual([[200], false]);
    expect(await (await call('/own/v1/plain', caller, { method: 'POST' })).text()).not.toBe(kept);
    expect(await text('/own/v2/plain')).not.toBe(await text('/own/v2/plain'));
  });
});

describe('how long', () => {
  it('a service says by itself, where that is wished, for what it says of an answer', async () => {
    const kept = async (path: string): Promise<boolean> => {
      const first = await text(path);
      return (await text(path)) === first;
    };
    expect(await kept('/says/v1/nothing')).toBe(false);
    numbered({ 'cache-control': 'max-age=60' });
    expect(await kept('/says/v1/age')).toBe(true);
    numbered({ 'cache-control': 'max-age=60' }, 404);
    expect(await kept('/says/v1/none')).toBe(true);
    for (const status of [206, 500]) {
      numbered({ 'cache-control': 'max-age=60' }, status);
      expect(await kept(`/says/v1/${status}`)).toBe(false);
    }
    numbered({ 'x-accel-expires': '60' });
    expect(await kept('/says/v1/accel')).toBe(false);
    numbered({ 'cache-control': 'max-age=60, private' });
    expect(await kept('/says/v1/private')).toBe(false);
  });

  it('the configuration says, and it is fetched anew after that', async () => {
    const first = await text('/strict/v1/a');
    await waitFor(async () => (await text('/strict/v1/a')) !== first, { what: 'another answer', timeoutMs: 30_000, everyMs: 200 });
  });

  it('one call fetches it anew, and the others have the former answer meanwhile', async () => {
    const first = await text('/lasting/v1/anew');
    const { promise, resolve } = Promise.withResolvers<RecordedAnswer>();
    service.answerWith(() => promise);
    service.clear();
    const reads: Promise<string>[] = [];
    await waitFor(
      async () => {
        reads.push(text('/lasting/v1/anew'));
        return asked().length > 0;
      },
      { what: 'a call to the service', timeoutMs: 30_000, everyMs: 100 },
    );
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => text('/lasting/v1/anew'))))).toEqual(new Set([first]));
    resolve({ status: 200, body: 'anew' });
    // The first of them may have come late enough to fetch it.
    expect(new Set([first, ...(await Promise.all(reads))])).toEqual(new Set([first, 'anew']));
    expect(asked()).toEqual(['GET /v1/anew']);
  });

  it('a cached answer replaces that of a failing service, for a limited time', async () => {
    const first = await text('/brief/v1/a');
    service.answerWith(() => ({ status: 500, body: 'broken' }));
    service.clear();
    const patience = { timeoutMs: 60_000, everyMs: 100 };
    await waitFor(async () => (await text('/brief/v1/a')) === first && asked().length > 0, { what: 'an answer in place of a broken one', ...patience });
    await waitFor(async () => (await text('/brief/v1/a')) === 'broken', { what: 'the end of it', ...patience });
    numbered();
    expect(await text('/brief/v1/a')).toMatch(/^answer/);
  });

  it('a service that is away as well, and not at all where that is not wished', async () => {
    const [brief, strict] = await Promise.all([text('/brief/v1/b'), text('/strict/v1/b')]);
    await service.pause();
    try {
      const patience = { timeoutMs: 60_000, everyMs: 100 };
      await waitFor(async () => (await text('/strict/v1/b')) !== strict, { what: 'a refusal', ...patience });
      await expectRefusal(await call('/strict/v1/b'), 503, 'service-unavailable');
      expect(await text('/strict/v1/b')).not.toBe(brief);
      await waitFor(async () => (await call('/brief/v1/b')).status === 503, { what: 'the end of what stands for it', ...patience });
    } finally {
      await service.resume();
    }
  });
});

it('what came of it is in the record, and counted', async () => {
  await text('/own/v3/other');
  await text('/own/v1/told');
  await text('/own/v1/told');
  await text('/own/v1/told', caller, { range: 'bytes=0-1' });
  await expectRefusal(await call('/own/v1/told', stranger), 403, 'policy-default-deny');
  const records = jsonLines(await gateway.lictorOk('audit', '--since', '10m', '--json'));
  const told = (path: string) => records.filter((record) => record['path'] === `/.lictor/svc/own${path}`).map(({ cache, status }) => [cache, status]);
  // Workers of nginx write their lines in no order.
  expect(told('/v1/told').map(String).toSorted()).toEqual([',403', 'bypass,200', 'hit,200', 'miss,200']);
  expect(told('/v3/other')).toEqual([[null, 200]]);
  const states = records.filter(({ service: name }) => name === 'brief').map(({ cache }) => cache);
  expect(states).toEqual(expect.arrayContaining(['miss', 'stale']));
  const scraped = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  expect(scraped).toMatch(/lictor_service_cache_total\{service="own",cache="bypass"\} \d/);
  expect(await gateway.lictorOk('audit', 'verify')).toContain('ok');
});

it('an answer comes no faster than limit.bandwidth, and whole; one of another service is not held back', async () => {
  const body = 'x'.repeat(3_000_000);
  service.answerWith(() => ({ status: 200, body }));
  const took = async (path: string): Promise<number> => {
    const begun = performance.now();
    expect(await (await call(path)).text()).toHaveLength(body.length);
    return performance.now() - begun;
  };
  const held = await took('/slow/big');
  // nginx counts whole seconds: what is sent in the first one is not yet held back.
  expect(held).toBeGreaterThan(1_000);
  // On a busy machine one may be late by itself; each that is held back takes longer than that.
  await waitFor(async () => (await took('/free/big')) < 1_000, { what: 'an answer that nothing holds back', timeoutMs: 60_000 });
});
