// Row XA-01: something that speaks no HTTP where Prefect should be. Its words are no answer to anybody, whichever way they were asked for.
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Gateway, jsonLines, startGateway } from '../../env/gateway.ts';
import { request } from '../../env/raw-request.ts';
import { bearerLine } from './harness.ts';

const FINE = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\nConnection: close\r\n\r\ntrue';
const WORDS = 'SSH-2.0-OpenSSH_9.2\r\n';

let answer: string;
let heard: string[];
let server: Server;
let gateway: Gateway;
let token: string;

beforeAll(async () => {
  answer = FINE;
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (bytes) => {
      const [line = ''] = bytes.toString('latin1').split('\r\n', 1);
      heard.push(line);
      // Of the gateway's own, at its start and while it runs.
      socket.end(line.includes('probe') || line.startsWith('POST /api/variables') ? answer : FINE);
    });
  });
  heard = [];
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  gateway = await startGateway({ upstream: { url: `http://127.0.0.1:${port}`, authString: null } });
  token = (await gateway.token('somebody', ['admin'])).secret;
});
afterAll(async () => {
  await gateway?.close();
  await new Promise((resolve) => server?.close(resolve));
});
beforeEach(() => {
  heard = [];
});

const ask = (head: string, lines: readonly string[] = [], body = '') =>
  request(gateway.port, [head, `Host: localhost:${gateway.port}`, bearerLine(token), ...lines], body);
/** What came besides the gateway's own. */
const probes = () => heard.filter((line) => line.includes('probe'));
const json = (length: number) => ['Content-Type: application/json', `Content-Length: ${length}`];
const get = (name: string) => ask(`GET /api/work_pools/${name} HTTP/1.1`);
const write = () => ask('POST /api/variables/ HTTP/1.1', json(22), '{"name":"a","value":1}');

describe('a Prefect that speaks HTTP', () => {
  it('answers each of them', async () => {
    answer = FINE;
    for (const { statuses } of [await get('probe-fine'), await write()]) expect(statuses).toEqual([200]);
  });
});

describe('words where Prefect should be', () => {
  beforeEach(() => {
    answer = WORDS;
  });

  it('are no response to a request that goes straight, and the ledger says that there was none', async () => {
    const { text, statuses, closed } = await get('probe-words');
    expect([statuses, closed, probes().length]).toEqual([[], true, 1]);
    expect(text).not.toMatch(/^HTTP/);
    await expect(gateway.fetch('/api/work_pools/probe-words', { token })).rejects.toThrow();
    const records = jsonLines(await gateway.lictorOk('audit', '--action', 'work_pools.read', '--json'));
    const words = records.filter(({ path }) => String(path).endsWith('/probe-words'));
    expect(words.map(({ reason, decision }) => [reason, decision])).toEqual(Array.from({ length: 2 }, () => ['upstream-unavailable', 'allow']));
    expect(records.filter(({ path }) => String(path).endsWith('/probe-fine')).map(({ reason }) => reason)).toEqual(['policy-permits']);
  });

  it('are 503 to a request that is mediated, without the word that nothing was forwarded', async () => {
    const { text, statuses } = await write();
    expect(statuses).toEqual([503]);
    expect(text).toContain('"code":"upstream-unavailable"');
    expect(text).not.toMatch(/Prefect-Maintenance|nothing was forwarded/i);
  });
});
