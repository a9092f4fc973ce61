// `lictor up --replace` under load: another supervisor takes over nginx and its listening sockets.
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Session } from '../../env/browser-session.ts';
import { type Gateway, jsonLines } from '../../env/gateway.ts';
import { isAlive, waitFor } from '../../env/process.ts';
import { authFrame, type OpenSocket, openSocket } from '../../env/socket.ts';
import type { Recorder } from '../../env/upstream-recorder.ts';

export interface ReplacedParts {
  readonly gateway: Gateway;
  readonly recorder: Recorder;
  /** Where metrics and the forward proxy listen. */
  readonly ports?: OwnPorts;
  /** Of a deployer. */
  readonly token: string;
  /** Of a person who is logged in before and stays so. */
  readonly session: Session;
}

/** Requests that a record names, and their answers: reads on new connections, and writes that the control plane forwards. */
export function askSteadily({ gateway, token, ports }: Pick<ReplacedParts, 'token' | 'ports'> & { readonly gateway: Pick<Gateway, 'url'> }) {
  const answers: string[] = [];
  let going = true;
  const ask = (method: 'GET' | 'POST', path: string, body?: string, url = gateway.url): Promise<void> =>
    new Promise((resolve) => {
      const note = (what: string) => {
        answers.push(`${method} ${what}`);
        resolve();
      };
      const headers = { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json', 'content-length': body.length }) };
      const asked = request(`${url}${path}`, { method, agent: false, headers }, (response) => {
        response.resume().once('close', () => note(response.complete ? String(response.statusCode) : 'cut'));
      });
      asked.once('error', (error) => note(error.message));
      asked.end(body);
    });
  const loop = async (one: (turn: number) => Promise<void>): Promise<void> => {
    for (let turn = 0; going; turn += 1) {
      await one(turn);
      await delay(20);
    }
  };
  // Some of the reads have a cached decision, and some are decided anew.
  const read = (turn: number) => ask('GET', `/api/flows/${String(turn % 500).padStart(8, '0')}-0000-0000-0000-000000000001`);
  const write = (turn: number) => ask('POST', '/api/variables/', JSON.stringify({ name: `v${turn}`, value: 1 }));
  // The forward proxy answers without a credential too: with 407.
  const scrape = () => ask('GET', '/metrics', undefined, `http://127.0.0.1:${ports?.metrics}`);
  const forwarded = () => ask('GET', '/', undefined, `http://127.0.0.1:${ports?.forward}`);
  const atPorts = ports === undefined ? [] : [scrape, scrape, forwarded, forwarded, forwarded, forwarded];
  const loops = Promise.all([read, read, write, ...atPorts].map(loop));
  return {
    answered: () => answers.length,
    stop: async () => {
      going = false;
      await loops;
      return answers;
    },
  };
}

/** No request fails, a socket closes with 1012 and opens again, the login stays, and each request has one record. */
export async function isReplacedUnderLoad({ gateway, recorder, token, session, ports }: ReplacedParts): Promise<void> {
  const former = gateway.pids();
  const first = await openedSocket({ gateway, token });
  const asking = askSteadily({ gateway, token, ...(ports !== undefined && { ports }) });
  await waitFor(() => asking.answered() > 20, { what: 'the load' });
  const again = first.ended.then(async ({ code }) => ({ code, socket: await openedSocket({ gateway, token }) }));
  await gateway.replace();
  const { code, socket } = await again;
  expect(code).toBe(1012);
  const seen = asking.answered();
  await waitFor(() => asking.answered() > seen + 20, { what: 'the load afterwards' });
  const answers = await asking.stop();
  expect([...new Set(answers)].sort()).toEqual(['GET 200', ...(ports === undefined ? [] : ['GET 407']), 'POST 200']);
  expect(recorder.firstFrames().length).toBeGreaterThan(1);
  expect(gateway.pids()).toMatchObject({ nginx: former.nginx });
  expect([former.supervisor, former.control].filter(isAlive)).toEqual([]);
  expect((await gateway.fetch('/.lictor/api/v1/me', { session })).status).toBe(200);
  socket.close();
  await recordsEachOnce(gateway);
}

export interface OwnPorts {
  readonly metrics: number;
  readonly forward: number;
}

async function openedSocket({ gateway, token }: Pick<ReplacedParts, 'gateway' | 'token'>): Promise<OpenSocket> {
  const socket = openSocket(gateway.url, '/api/events/out', { first: authFrame(token) });
  await waitFor(() => socket.frames().some((frame) => frame.includes('auth_success')), { what: 'the socket to be authorised' });
  return socket;
}

async function recordsEachOnce(gateway: Gateway): Promise<void> {
  const lines = readFileSync(join(gateway.stateDir, 'log', 'access.log'), 'latin1')
    .split('\n')
    .filter((line) => line.endsWith('}'));
  const asked = lines.map((line) => JSON.parse(line)).filter(({ taken }) => taken === 'direct' || taken === 'mediated');
  const ids = new Set(asked.map(({ request_id: id }) => String(id)));
  const recorded = async () => jsonLines(await gateway.lictorOk('audit', '--json')).flatMap(({ request_id: id }) => (ids.has(String(id)) ? [String(id)] : []));
  await waitFor(async () => new Set(await recorded()).size === ids.size, { what: 'a record of each request', timeoutMs: 30_000, everyMs: 500 });
  const all = await recorded();
  expect(all.filter((id, index) => all.indexOf(id) !== index)).toEqual([]);
  const unknown = await gateway.lictorOk('audit', '--reason', 'outcome-unknown', '--json');
  expect(jsonLines(unknown)).toEqual([]);
  expect(await gateway.lictorOk('audit', 'verify')).toContain('no record was edited, removed, added or moved');
}

/** The new one cannot start after the former one has yielded: the former one serves, records and reloads. */
export async function remainsIfNotReplaced({ gateway, token }: Pick<ReplacedParts, 'gateway' | 'token'>): Promise<void> {
  const good = readFileSync(gateway.configFile, 'utf8');
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const { supervisor, control, nginx, workers } = gateway.pids();
  const socket = await openedSocket({ gateway, token });
  const asking = askSteadily({ gateway, token });
  writeFileSync(gateway.configFile, good.replace(/^metrics:\n.*$/m, `metrics: { listen: '127.0.0.1:${port}' }`));
  const { code, output } = await gateway.lictor('up', '--replace');
  expect([code, output]).toEqual([1, expect.stringMatching(new RegExp(`127.0.0.1:${port}.*remains`, 's'))]);
  writeFileSync(gateway.configFile, good);
  await gateway.says('this one goes on');
  const seen = asking.answered();
  await waitFor(() => asking.answered() > seen + 20, { what: 'the load afterwards' });
  expect([...new Set(await asking.stop())].sort()).toEqual(['GET 200', 'POST 200']);
  expect(gateway.pids()).toEqual({ supervisor, control, nginx, workers });
  expect(await Promise.race([socket.ended, Promise.resolve('open')])).toBe('open');
  socket.close();
  await recordsEachOnce(gateway);
  taken.close();
}

const MOVES_WAITING = '/proc/sys/net/ipv4/tcp_migrate_req';

/** Without the setting of Linux, the ports would reset connections: the former one remains. Afterwards it is set, until the answer is called. */
export async function remainsIfPortsCannotPass(gateway: Gateway): Promise<() => void> {
  const former = readFileSync(MOVES_WAITING, 'utf8');
  const before = gateway.pids();
  writeFileSync(MOVES_WAITING, '0');
  const { code, output } = await gateway.lictor('up', '--replace');
  expect([code, output]).toEqual([1, expect.stringContaining('sysctl -w net.ipv4.tcp_migrate_req=1')]);
  await gateway.says('this one goes on');
  expect(gateway.pids()).toEqual(before);
  writeFileSync(MOVES_WAITING, '1');
  return () => writeFileSync(MOVES_WAITING, former);
}
