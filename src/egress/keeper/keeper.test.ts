import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer, type IncomingMessage, type RequestListener, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { KEEPER } from '../../contract/names.ts';
import { createKeeper, type KeeperParts } from './keeper.ts';

const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of opened.splice(0).toReversed()) one.close();
});

async function listen(path: string, handler: RequestListener): Promise<void> {
  const server = createServer(handler);
  opened.push(server, { close: () => server.closeAllConnections() });
  await once(server.listen(path), 'listening');
}

interface Brought {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A service behind nginx, and nginx in front. */
async function setting(service: RequestListener, more: Partial<Pick<KeeperParts, 'mostBytes' | 'limits'>> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'lictor-keeper-'));
  opened.push({ close: () => rmSync(directory, { recursive: true, force: true }) });
  const [back, front] = [join(directory, 'back'), join(directory, 'front')];
  const keeper = createKeeper({
    wayBack: (name) => (name === 'billing' ? back : join(directory, 'nowhere')),
    log: { warn: () => undefined },
    mostBytes: 1 << 20,
    ...more,
  });
  await Promise.all([listen(back, service), listen(front, keeper.handle)]);
  const agent = new Agent();
  opened.push({ close: () => agent.destroy() });
  const begin = (headers: Record<string, string> = {}, method = 'GET') => {
    const call = request({ socketPath: front, agent, method, path: '/v1', headers: { [KEEPER.service]: 'billing', [KEEPER.most]: '1000', ...headers } });
    const answered = once(call, 'response').then(([answer]) => answer as IncomingMessage);
    call.end();
    return { call, answered };
  };
  return {
    begin,
    async bring(...args: Parameters<typeof begin>): Promise<Brought> {
      const answer = await begin(...args).answered;
      const pieces = await answer.toArray();
      return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces).toString() };
    },
  };
}

const isMarked = ({ headers }: Pick<Brought, 'headers'>): boolean => headers[KEEPER.whole] === '1';

describe('an answer', () => {
  it('of no said length gets one, and the mark, where it is there whole', async () => {
    const { bring } = await setting((_request, response) =>
      response.writeHead(200, { 'x-own': '1', 'x-lictor-anything': '1', connection: 'x-hop', 'x-hop': '1' }).end('whole'),
    );
    const brought = await bring();
    expect(brought.headers).not.toHaveProperty('x-lictor-anything');
    expect([isMarked(brought), brought.headers['content-length'], brought.headers['x-own'], brought.headers['x-hop'], brought.body]).toEqual([
      ...[true, '5', '1', undefined, 'whole'],
    ]);
  });

  it.each([
    ['is larger than the rule lets it be', 'x'.repeat(1001), {}],
    ['is larger than that by its own word', 'x'.repeat(1001), { 'content-length': '1001' }],
    ['is a stream of events', 'data: x', { 'content-type': 'Text/Event-Stream; charset=utf-8' }],
    ['has parts', '--x', { 'content-type': 'multipart/x-mixed-replace; boundary=x' }],
    ['is not to be stored', 'x', { 'cache-control': 'max-age=60, No-Store' }],
    ['has a cookie', 'x', { 'set-cookie': 'a=b' }],
  ])('has no mark, whatever its service says, and comes whole, where it %s', async (_what, body, headers) => {
    const { bring } = await setting((_request, response) => response.writeHead(200, { [KEEPER.whole]: '1', ...headers }).end(body));
    const brought = await bring();
    expect([isMarked(brought), brought.body]).toEqual([false, body]);
  });

  it('to HEAD, and one without a body, has nothing that could be too long', async () => {
    const { bring } = await setting((_request, response) => response.writeHead(200, { 'content-length': '5000000' }).end());
    const brought = await bring({}, 'HEAD');
    expect([isMarked(brought), brought.headers['content-length']]).toEqual([true, '5000000']);
    const empty = await setting((_request, response) => response.writeHead(204).end());
    expect(await empty.bring()).toMatchObject({ status: 204, headers: { [KEEPER.whole]: '1' } });
  });

  it('that takes its time streams on without the mark', async () => {
    let end: () => void = () => undefined;
    const { begin } = await setting(
      (_request, response) => {
        response.write('first ');
        end = () => response.end('last');
      },
      { limits: { patienceMs: 1 } },
    );
    const answer = await begin().answered;
    expect(isMarked(answer)).toBe(false);
    end();
    expect(Buffer.concat(await answer.toArray()).toString()).toBe('first last');
  });

  it('of which nobody wants the rest ends at the service', async () => {
    const closed = Promise.withResolvers<void>();
    const { begin } = await setting((_request, response) => {
      response.once('close', () => closed.resolve());
      response.write('x'.repeat(2_000));
    });
    const { call, answered } = begin();
    await answered;
    call.on('error', () => undefined).destroy();
    await closed.promise;
  });

  it.each([
    ['breaks off before it is there whole', (response: Parameters<RequestListener>[1]) => void response.write('x', () => response.destroy())],
    ['has a head that is too large', (response: Parameters<RequestListener>[1]) => void response.writeHead(200, { 'x-large': 'x'.repeat(40_000) }).end('x')],
    ['is none in HTTP', (response: Parameters<RequestListener>[1]) => void response.socket?.end('no head\r\n\r\nx')],
  ])('that %s is none: the connection is closed', async (_what, answer) => {
    const { bring } = await setting((_request, response) => answer(response));
    await expect(bring()).rejects.toThrow();
  });
});

describe('what all answers together take', () => {
  it('is bounded, and given back: of those that say their length', async () => {
    const going: (() => void)[] = [];
    const { begin } = await setting(
      (_request, response) => {
        response.writeHead(200, { 'content-length': 900 }).write('x');
        going.push(() => response.end('x'.repeat(899)));
      },
      { mostBytes: 2_000 },
    );
    const marks = async (count: number): Promise<readonly boolean[]> => {
      const answers: IncomingMessage[] = [];
      while (answers.length < count) answers.push(await begin().answered);
      for (const end of going.splice(0)) end();
      for (const answer of answers) expect(Buffer.concat(await answer.toArray())).toHaveLength(900);
      return answers.map(isMarked);
    };
    expect(await marks(3)).toEqual([true, true, false]);
    await expect.poll(() => marks(2), { timeout: 30_000 }).toEqual([true, true]);
  });

  it.each([
    [700, false],
    [2_000, true],
  ])('is bounded, and given back: of one that is held, in %d bytes', async (mostBytes, marked) => {
    const { bring } = await setting((_request, response) => void response.write('x', () => response.end('x'.repeat(799))), { mostBytes });
    expect(isMarked(await bring())).toBe(marked);
    await expect.poll(async () => isMarked(await bring()), { timeout: 30_000 }).toBe(marked);
    expect((await bring()).body).toHaveLength(800);
  });

  it('are so many at once, and no more', async () => {
    const { begin, bring } = await setting((_request, response) => void response.writeHead(200, { 'content-length': 3 }).write('x'), { limits: { calls: 1 } });
    const first = begin();
    const answer = await first.answered;
    await expect(bring()).rejects.toThrow();
    answer.on('error', () => undefined);
    first.call.on('error', () => undefined).destroy();
    const again = async () => isMarked(await begin().answered);
    await expect.poll(() => again().catch(() => false), { timeout: 30_000 }).toBe(true);
  });
});

it('calls of one caller leave room for those of others', async () => {
  const going: (() => void)[] = [];
  const { begin, bring } = await setting(
    (_request, response) => {
      response.writeHead(200, { 'content-length': 3 }).write('x');
      going.push(() => response.end('xx'));
    },
    { limits: { calls: 4 } },
  );
  const by = (caller: string) => ({ [KEEPER.caller]: caller });
  const answers: IncomingMessage[] = [];
  for (const caller of ['run:greedy', 'run:greedy']) answers.push(await begin(by(caller)).answered);
  await expect(bring(by('run:greedy'))).rejects.toThrow();
  for (const caller of ['run:one', 'run:two']) answers.push(await begin(by(caller)).answered);
  await expect(bring(by('run:three'))).rejects.toThrow();
  for (const end of going) end();
  for (const answer of answers) expect([isMarked(answer), Buffer.concat(await answer.toArray()).toString()]).toEqual([true, 'xxx']);
});

it.each([{ [KEEPER.service]: '../x' }, { [KEEPER.service]: 'nobody' }, { [KEEPER.most]: '' }, { [KEEPER.most]: '-1' }])(
  'nothing is brought for %j',
  async (headers) => {
    const { bring } = await setting((_request, response) => response.end('x'));
    await expect(bring(headers)).rejects.toThrow();
    expect((await bring()).body).toBe('x');
  },
);
