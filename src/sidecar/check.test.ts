import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { checkGateway } from './check.ts';
import { parseGatewayUrl } from './gateway-url.ts';
import { createTransport } from './transport.ts';

let server: Server | undefined;
afterEach(() => server?.close());

/** What is said about a gateway whose first answer is this, and the next one well. */
async function said(status: number, body: string): Promise<readonly string[]> {
  let asked = 0;
  server = createServer((_request, response) => {
    asked += 1;
    response.writeHead(asked === 1 ? status : 200).end(asked === 1 ? body : '{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const parsed = parseGatewayUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  if (!parsed.ok) throw new Error(parsed.problem);
  const lines: string[] = [];
  const transport = createTransport({ authorities: [], env: {} });
  const keeper = { current: async () => 'c1' };
  await checkGateway({ gateway: parsed.address, keeper, transport, say: (line) => void lines.push(line), steady: () => 0, patienceMs: 60_000 });
  transport.close();
  return lines;
}

it.each<[string, number, string, string]>([
  [
    'with a hint',
    503,
    JSON.stringify({ detail: 'Prefect is away.', code: 'upstream-unavailable', hint: 'Ask who runs it what to do.' }),
    'Prefect is away. (upstream-unavailable) Ask who runs it what to do.',
  ],
  ['without one', 503, JSON.stringify({ detail: 'Prefect is away.', code: 'upstream-unavailable', hint: '' }), 'Prefect is away. (upstream-unavailable).'],
])('an answer %s is told as sentences, each with one full stop', async (_what, status, body, words) => {
  expect(await said(status, body)).toEqual([`The gateway answered 503: ${words} Trying again.`]);
});

it('an answer that is not of a gateway is told by its status, and one that is well by nothing', async () => {
  expect(await said(502, '<html>')).toEqual(['The gateway answered 502. Trying again.']);
  server?.close();
  expect(await said(200, '{}')).toEqual([]);
});
