import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { checkGateway } from './check.ts';
import { parseGatewayUrl } from './gateway-url.ts';
import { createTransport } from './transport.ts';

let server: Server | undefined;
afterEach(() => server?.close());

/** What is said about a gateway whose first answers are this, and those behind them well. */
async function said(status: number, body: string, times = 1): Promise<readonly string[]> {
  let [asked, passedMs] = [0, 0];
  server = createServer((_request, response) => {
    asked += 1;
    response.writeHead(asked <= times ? status : 200).end(asked <= times ? body : '{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const parsed = parseGatewayUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  if (!parsed.ok) throw new Error(parsed.problem);
  const lines: string[] = [];
  const transport = createTransport({ authorities: [], env: {} });
  const refresher = { current: async () => 'c1' };
  const steady = () => (passedMs += 20_000);
  const say = (line: string) => void lines.push(line);
  const problem = await checkGateway({ gateway: parsed.address, refresher, transport, say, steady, patienceMs: 60_000, pauseMs: 1 });
  transport.close();
  return problem === undefined ? lines : [...lines, problem];
}

it.each<[string, number, string, string]>([
  [
    'with a hint',
    503,
    JSON.stringify({ detail: 'Prefect is away.', code: 'upstream-unavailable', hint: 'Ask who runs it what to do.' }),
    'Prefect is away. (upstream-unavailable) Ask who runs it what to do.',
  ],
  ['without one', 503, JSON.stringify({ detail: 'Prefect is away.', code: 'upstream-unavailable', hint: '' }), 'Prefect is away. (upstream-unavailable).'],
])('an answer %s is reported as sentences, each with one full stop', async (_what, status, body, words) => {
  expect(await said(status, body)).toEqual([`The gateway answered 503: ${words} Trying again.`]);
});

it('a foreign answer is reported by its status, and a good one not at all', async () => {
  expect(await said(502, '<html>')).toEqual(['The gateway answered 502. Trying again.']);
  server?.close();
  expect(await said(200, '{}')).toEqual([]);
});

it('waits for a gateway that does not answer by the steady clock, and then reports it', async () => {
  expect(await said(502, '', 4)).toEqual(['The gateway answered 502. Trying again.', 'The gateway answered 502.']);
  server?.close();
  expect(await said(502, '', 3)).toEqual(['The gateway answered 502. Trying again.']);
});
