import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFromEdge } from '../../authorization/decide/from-edge.ts';
import { EDGE_SECRET } from '../../contract/names.ts';
import { createControlServer } from './control-server.ts';
import { createDecisionServer } from './decision-server.ts';

let root: string;
let reached: number;
const fromEdge = createFromEdge('the-secret');
const SERVERS: Readonly<Record<string, () => Server>> = {
  decision: () =>
    createDecisionServer(
      {
        async answer() {
          reached += 1;
          return { status: 200, headers: {} };
        },
        forget: () => undefined,
      },
      fromEdge,
      () => undefined,
    ),
  control: () => createControlServer((_request, response) => void response.end(String(++reached)), fromEdge),
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'servers-'));
  reached = 0;
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe.each(Object.keys(SERVERS))('the %s server', (name) => {
  const ask = async (headers: Readonly<Record<string, string>>): Promise<number | string> => {
    const server = SERVERS[name]?.();
    if (server === undefined) throw new Error(name);
    const socketPath = join(root, 'server.sock');
    await once(server.listen(socketPath), 'listening');
    const answer = await new Promise<number | string>((resolve) => {
      const call = request({ socketPath, path: '/', headers: { 'x-lictor-in-authorization': 'Bearer good', ...headers }, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      call.once('error', () => resolve('closed'));
      call.end();
    });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    return answer;
  };

  it('answers the edge', async () => {
    expect(await ask({ [EDGE_SECRET]: 'the-secret' })).toBe(200);
    expect(reached).toBe(1);
  });

  it('closes the connection of any other program, whatever it says', async () => {
    expect(await ask({})).toBe('closed');
    expect(await ask({ [EDGE_SECRET]: 'another' })).toBe('closed');
    expect(await ask({ [EDGE_SECRET]: '', upgrade: 'websocket', connection: 'upgrade' })).toBe('closed');
    expect(reached).toBe(0);
  });
});
