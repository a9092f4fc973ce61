import type { RequestListener } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { type Asking, closeOpened, RULE, refusalOf, startProxy, startService, stateOf } from './service-proxy.fixture.ts';

afterEach(closeOpened);

/** Each answer is another one. */
async function setting(headers: Record<string, string> = {}, more: Parameters<typeof startProxy>[1] = {}, parts: Parameters<typeof startProxy>[2] = {}) {
  const service = { asked: 0, status: 200, headers, answer: undefined as RequestListener | undefined };
  const origin = await startService((request, response) => {
    service.asked += 1;
    if (service.answer !== undefined) return service.answer(request, response);
    response.writeHead(service.status, service.headers).end(`answer ${service.asked}`);
  });
  const proxy = await startProxy([origin], { cache: [RULE], ...more }, parts);
  const states = async (...asking: readonly Asking[]): Promise<readonly unknown[]> => {
    const seen: unknown[] = [];
    for (const one of asking) seen.push(stateOf(await proxy.ask(one)));
    return seen;
  };
  return { ...proxy, service, states };
}

describe('a stored answer', () => {
  it('is for one principal, method, target, generation, and the headers that the answer may depend on', async () => {
    const { states } = await setting();
    const forms: readonly Asking[] = [
      {},
      { caller: 'run:2' },
      { method: 'HEAD' },
      { path: '/v1?' },
      { headers: { accept: 'a/b' } },
      { headers: { 'accept-language': 'de' } },
      { headers: { 'accept-encoding': 'gzip' } },
    ];
    expect(await states(...forms)).toEqual(forms.map(() => 'miss'));
    expect(await states(...forms)).toEqual(forms.map(() => 'hit'));
  });

  it('is shared by all callers only if the rule says it', async () => {
    const { states } = await setting({}, { cache: [{ ...RULE, shared: true }] });
    expect(await states({}, { caller: 'run:2' })).toEqual(['miss', 'hit']);
  });

  it('is gone after a purge, also one that is on its way; an older decision gets none', async () => {
    const { states, begin, ask, service } = await setting();
    expect(await states({ generation: '1' }, { generation: '1' }, { generation: '2' }, { generation: '2' })).toEqual(['miss', 'hit', 'miss', 'hit']);
    expect(await states({ generation: '1' }, { generation: null })).toEqual(['bypass', 'bypass']);
    const { promise, resolve } = Promise.withResolvers<void>();
    const answers = async (path: string | undefined) => (path === '/late' ? await promise : undefined);
    service.answer = ({ url }, response) => void answers(url).then(() => response.end('from before'));
    const onItsWay = begin({ path: '/late', generation: '2' });
    await expect.poll(() => service.asked, { timeout: 30_000 }).toBe(5);
    expect(await ask({ path: '/other', generation: '3', headers: { range: 'bytes=0-1' } }).then(stateOf, () => 'x')).toBe('bypass');
    resolve();
    await (await onItsWay.answered).toArray();
    service.answer = undefined;
    expect(await states({ path: '/late', generation: '3' })).toEqual(['miss']);
  });

  it('ends with its time, and replaces answers of a failing service for a bounded time', async () => {
    const { states, state, service, ask } = await setting({}, { cache: [{ ...RULE, ttlSeconds: 10, staleSeconds: 30 }] });
    expect(await states({}, {})).toEqual(['miss', 'hit']);
    service.status = 500;
    state.nowMs += 10_000;
    expect(await states({}, {})).toEqual(['stale', 'stale']);
    state.nowMs += 30_000;
    const last = await ask();
    expect([last.status, stateOf(last)]).toEqual([500, 'expired']);
    service.status = 200;
    expect(await states({}, {})).toEqual(['miss', 'hit']);
  });

  it.each([
    ['has gone', 404, {}, '@service_failed'],
    ['is forbidden', 403, {}, '@service_failed'],
    ['must not be stored', 200, { 'cache-control': 'no-store' }, '@service_failed'],
    ['is a link with the credential', 301, { location: '/x?key=a-key-of-the-gateway' }, '@service_failed'],
    ['failed', 500, {}, undefined],
  ])('stands in for no failure after the service has said that it %s; only a failure changes nothing', async (_what, status, headers, refusal) => {
    const injected = { header: 'x-key', value: 'a-key-of-the-gateway' };
    const { state, service, ask } = await setting({}, { injected, cache: [{ ...RULE, ttlSeconds: 10, staleSeconds: 30 }] });
    await ask();
    state.nowMs += 10_000;
    Object.assign(service, { status, headers });
    await ask();
    service.answer = (request) => void request.socket.destroy();
    const last = await ask();
    expect([refusalOf(last), stateOf(last)]).toEqual(refusal === undefined ? [undefined, 'stale'] : [refusal, 'miss']);
  });

  it('is as old as its head, however slowly its first caller reads', async () => {
    const { begin, state, states, service } = await setting({}, { cache: [{ ...RULE, ttlSeconds: 10 }] });
    let end: () => void = () => undefined;
    service.answer = (_request, response) => {
      response.writeHead(200, { 'content-length': 2 }).write('o');
      end = () => response.end('k');
    };
    const first = await begin().answered;
    state.nowMs += 9_000;
    end();
    expect(String(await first.toArray())).toBe('o,k');
    expect(await states({})).toEqual(['hit']);
    state.nowMs += 1_000;
    service.answer = undefined;
    expect(await states({})).toEqual(['expired']);
  });

  it('is fetched by others while its first caller reads slowly, and the older one does not replace it', async () => {
    const { begin, ask, service } = await setting({}, {}, { limits: { patienceMs: 1 }, steady: () => performance.now() });
    let end: () => void = () => undefined;
    service.answer = (_request, response) => {
      response.writeHead(200, { 'content-length': 2 }).write('o');
      end = () => response.end('k');
    };
    const slow = await begin().answered;
    service.answer = undefined;
    await expect.poll(() => ask().then(stateOf)).toBe('hit');
    const { body } = await ask();
    end();
    expect(String(await slow.toArray())).toBe('o,k');
    expect(await ask()).toMatchObject({ body, headers: { lictorcache: 'hit' } });
  });

  it('of a rule without stale_if_error does not', async () => {
    const { state, service, ask } = await setting({}, { cache: [{ ...RULE, ttlSeconds: 10 }] });
    await ask();
    state.nowMs += 10_000;
    service.answer = (request) => void request.socket.destroy();
    expect(refusalOf(await ask())).toBe('@service_failed');
  });

  it('is not lengthened by a stale-if-error of the service', async () => {
    const { state, service, ask } = await setting({ 'cache-control': 'max-age=10, stale-if-error=3600' }, { cache: [{ ...RULE, ttlSeconds: null }] });
    await ask();
    state.nowMs += 10_000;
    service.status = 500;
    expect((await ask()).status).toBe(500);
  });

  it('answers a condition by itself, also the first time', async () => {
    const { ask, service } = await setting({ etag: '"one"', 'last-modified': 'Tue, 01 Dec 2026 00:00:00 GMT' });
    const conditions = [{ 'if-none-match': 'W/"one"' }, { 'if-none-match': '"two", "one"' }, { 'if-modified-since': 'Tue, 01 Dec 2026 00:00:00 GMT' }];
    for (const headers of conditions) expect(await ask({ headers })).toMatchObject({ status: 304, body: '', headers: { etag: '"one"' } });
    for (const headers of [{ 'if-none-match': '"two"' }, { 'if-modified-since': 'Tue, 02 Dec 2026 00:00:00 GMT' }])
      expect((await ask({ headers })).body).toBe('answer 1');
    expect(service.asked).toBe(1);
  });

  it('is fetched once for all simultaneous calls; the others continue after a bounded time', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { begin, service } = await setting({}, { cache: [{ ...RULE, shared: true }] });
    service.answer = (_request, response) => void promise.then(() => response.end('one for all'));
    const calls = Array.from({ length: 20 }, (_, place) => begin({ caller: `run:${place}` }));
    await expect.poll(() => service.asked, { timeout: 30_000 }).toBe(1);
    resolve();
    for (const { answered } of calls) expect(Buffer.concat(await (await answered).toArray()).toString()).toBe('one for all');
    expect(service.asked).toBe(1);
  });

  it('survives a reload that does not change the service, and no other', async () => {
    const { states, use } = await setting();
    expect(await states({})).toEqual(['miss']);
    use({ timeoutSeconds: 5 });
    expect(await states({})).toEqual(['hit']);
    use({ caFile: '/another' });
    expect(await states({})).toEqual(['miss']);
  });
});

describe('an answer that is not stored', () => {
  it.each([
    ['is larger than the rule lets it be', 'x'.repeat(1_001), {}],
    ['is larger than that by its own word', 'x'.repeat(1_001), { 'content-length': '1001' }],
    ['is a stream of events', 'data: x', { 'content-type': 'Text/Event-Stream; charset=utf-8' }],
    ['has parts', '--x', { 'content-type': 'multipart/x-mixed-replace; boundary=x' }],
    ['is not to be stored', 'x', { 'cache-control': 'max-age=60, No-Store' }],
    ['has a cookie', 'x', { 'set-cookie': 'a=b' }],
    ['varies by all', 'x', { vary: 'Accept, *' }],
  ])('comes whole, and each call fetches it, where it %s', async (_what, body, headers: Record<string, string>) => {
    const { ask, service } = await setting();
    service.answer = (_request, response) => void response.writeHead(200, headers).end(body);
    for (const _each of [1, 2]) expect((await ask()).body).toBe(body);
    expect(service.asked).toBe(2);
  });

  it('came after an informational one', async () => {
    const { ask, service } = await setting();
    service.answer = (request) => void request.socket.end('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    for (const _each of [1, 2]) expect((await ask()).body).toBe('ok');
    expect(service.asked).toBe(2);
  });

  it('takes its time: it is streamed', async () => {
    const { begin, ask, service } = await setting({}, {}, { limits: { patienceMs: 1 } });
    let end: () => void = () => undefined;
    service.answer = (_request, response) => {
      response.write('first ');
      end = () => response.end('last');
    };
    const answer = await begin().answered;
    end();
    expect(Buffer.concat(await answer.toArray()).toString()).toBe('first last');
    service.answer = undefined;
    expect(stateOf(await ask())).toBe('miss');
  });

  it('broke off: the service is asked once more, and never more often than `retries` let it', async () => {
    const breaking: RequestListener = (_request, response) => void response.write('x', () => response.destroy());
    const plain = await setting();
    plain.service.answer = breaking;
    await expect(plain.ask()).rejects.toThrow();
    expect(plain.service.asked).toBe(2);
    const once = await setting({}, { retries: { attempts: 1, budget: null } });
    once.service.answer = breaking;
    expect(refusalOf(await once.ask())).toBe('@service_failed');
    expect(once.service.asked).toBe(1);
  });

  it.each([
    ['a header', { header: 'x-key', value: 'a-key-of-the-gateway' }, {}],
    ['a token', { oauth: {} as never }, { authorization: 'Bearer a-key-of-the-gateway/x' }],
  ])('has the credential of the gateway in a link: %s', async (_what, injected, headers) => {
    const { ask, service } = await setting({}, { injected });
    service.answer = (_request, response) => void response.writeHead(301, { location: '/x?key=A-key-of-the-gateway' }).end();
    for (const _each of [1, 2]) await ask({ headers });
    expect(service.asked).toBe(2);
    service.answer = (_request, response) => void response.writeHead(301, { location: '/x' }).end();
    for (const _each of [1, 2]) await ask({ headers, path: '/plain' });
    expect(service.asked).toBe(3);
  });
});

describe('the memory of answers that are being stored', () => {
  it('is bounded, and freed, for answers with a length', async () => {
    const going: (() => void)[] = [];
    const { begin, ask, service } = await setting({}, {}, { limits: { fetchedBytes: 2_000 } });
    service.answer = (_request, response) => {
      response.writeHead(200, { 'content-length': 900 }).write('x');
      going.push(() => response.end('x'.repeat(899)));
    };
    const answers = [];
    for (const path of ['/1', '/2', '/3']) answers.push(await begin({ path, caller: path }).answered);
    for (const end of going) end();
    for (const answer of answers) expect(Buffer.concat(await answer.toArray())).toHaveLength(900);
    service.answer = undefined;
    for (const [path, state] of [
      ['/1', 'hit'],
      ['/2', 'hit'],
      ['/3', 'miss'],
    ] as const)
      expect(stateOf(await ask({ path, caller: path }))).toBe(state);
  });

  it.each([
    [700, 'miss'],
    [3_000, 'hit'],
  ])('is bounded, and given back: of one that is held, in %d bytes', async (fetchedBytes, second) => {
    const { ask, service } = await setting({}, {}, { limits: { fetchedBytes } });
    service.answer = (_request, response) => void response.write('x', () => response.end('x'.repeat(799)));
    for (const state of ['miss', second]) expect(await ask().then((answer) => [stateOf(answer), answer.body.length])).toEqual([state, 800]);
    expect((await ask({ path: '/other' })).body).toHaveLength(800);
  });

  it('leaves some for others, however much one caller fetches', async () => {
    const { begin, ask, service } = await setting({}, {}, { limits: { fetchedBytes: 2_000 } });
    const going: (() => void)[] = [];
    service.answer = (_request, response) => {
      response.writeHead(200, { 'content-length': 900 }).write('x');
      going.push(() => response.end('x'.repeat(899)));
    };
    const askings = [{ path: '/1' }, { path: '/2' }, { path: '/3', caller: 'run:2' }];
    const answers = [];
    for (const asking of askings) answers.push(await begin(asking).answered);
    for (const end of going) end();
    for (const answer of answers) await answer.toArray();
    service.answer = undefined;
    const states = [];
    for (const asking of askings) states.push(stateOf(await ask(asking)));
    expect(states).toEqual(['hit', 'miss', 'hit']);
  });

  it('are so many calls at once, of which one caller leaves some for others', async () => {
    const { begin, ask, service } = await setting({}, {}, { limits: { fetches: 4 } });
    service.answer = (_request, response) => void response.writeHead(200, { 'content-length': 3 }).write('x');
    const state = async (asking: Asking) => stateOf(await begin(asking).answered);
    expect([await state({ path: '/1' }), await state({ path: '/2' }), await state({ path: '/3' })]).toEqual(['miss', 'miss', 'bypass']);
    expect([await state({ path: '/4', caller: 'run:2' }), await state({ path: '/5', caller: 'run:3' })]).toEqual(['miss', 'miss']);
    service.answer = undefined;
    expect(stateOf(await ask({ path: '/6', caller: 'run:4' }))).toBe('bypass');
  });
});

describe('callers that read slowly', () => {
  const LARGE = 4_000_000;
  const rule = { ...RULE, shared: true, mostBytes: LARGE, ttlSeconds: 10, staleSeconds: 30 };

  it('read dropped bodies within a bound; a body with many readers counts once', async () => {
    const { begin, ask, states, state, service } = await setting({}, { cache: [rule] }, { limits: { storedBytes: 1.5 * LARGE } });
    const answer: RequestListener = (_request, response) => void response.end('x'.repeat(LARGE));
    service.answer = answer;
    expect(await states({ path: '/1' })).toEqual(['miss']);
    const slow = await Promise.all(['run:1', 'run:2', 'run:3'].map((caller) => begin({ path: '/1', caller }).answered));
    expect(slow.map(stateOf)).toEqual(['hit', 'hit', 'hit']);
    const other = { path: '/2', caller: 'run:4' };
    expect(await states(other, other)).toEqual(['miss', 'bypass']);
    state.nowMs += 10_000;
    service.answer = (request) => void request.socket.destroy();
    expect(refusalOf(await ask(other))).toBe('@service_failed');
    for (const one of slow) one.destroy();
    await expect.poll(() => ask(other).then(stateOf)).toBe('stale');
    service.answer = answer;
    expect(await states(other, other)).toEqual(['expired', 'hit']);
  });

  it('read buffered bodies within a bound, until they have them or have left', async () => {
    const { begin, ask, service } = await setting({}, { cache: [rule] }, { limits: { fetchedBytes: 2.5 * LARGE } });
    service.answer = (_request, response) => void response.write('x', () => response.end('x'.repeat(LARGE - 1)));
    const slow = await begin({ path: '/1' }).answered;
    const other = { path: '/2', caller: 'run:2' };
    for (const _each of [1, 2]) expect(await ask(other).then((answer) => [stateOf(answer), answer.body.length])).toEqual(['miss', LARGE]);
    slow.destroy();
    await expect.poll(() => ask(other).then(stateOf)).toBe('hit');
  });
});
