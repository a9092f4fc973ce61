// For packages.test.ts: the two nodes that Compose would start from its files, with their store and HAProxy, before the real Prefect of the tests.
import { chownSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect } from 'vitest';
import { REPOSITORY } from '../../../src/cli/repository.ts';
import { logIn } from '../../env/browser-session.ts';
import { type Project, renderCompose } from '../../env/container/compose.ts';
import { composeUp, volumeOf } from '../../env/container/compose-up.ts';
import { forward } from '../../env/container/forward.ts';
import { freePort } from '../../env/free-port.ts';
import { must } from '../../env/packages.ts';
import { sharedPrefect } from '../../env/prefect.ts';
import { waitFor } from '../../env/process.ts';

export interface ComposePair {
  isClosed(): Promise<void>;
  isOneGateway(): Promise<void>;
  outlivesNode(): Promise<void>;
  stop(): Promise<void>;
}

const NODES = ['lictor', 'lictor-2'] as const;
/** Prefect's own services are those of one node: its server here is the one of the tests. */
const STARTED = ['store-setup', 'store', 'setup', ...NODES, 'balancer'];

/** `program`: as in the image. */
export async function startComposePair(directory: string, program: string): Promise<ComposePair> {
  const prefect = sharedPrefect();
  const port = await freePort();
  const project = await renderCompose(await filesOf(join(directory, 'lictor-compose'), port));
  const socket = (name: string) => join(directory, name);
  const up = await composeUp({ project, names: STARTED, beside: { 'prefect-server': [], person: ['clients'] }, directory, program });
  const auth = join(volumeOf(directory, 'prefect-secret'), 'auth');
  writeFileSync(auth, `${prefect.authString}\n`, { mode: 0o600 });
  chownSync(auth, 65_532, 65_532);
  const addressOf = (name: string, network: string) => `${up.address(name, network)}:8200`;
  await up.networks.forward('prefect-server', '0.0.0.0:4200', socket('prefect'));
  await up.networks.forward('person', socket('published'), addressOf('balancer', 'clients'), socket('past'), addressOf('lictor', 'nodes'));
  await up.networks.forward('balancer', ...NODES.flatMap((name) => [socket(name), addressOf(name, 'nodes')]));
  const servers = [
    await forward(socket('prefect'), new URL(prefect.url).host),
    // What Docker does with a published port.
    await forward(`127.0.0.1:${port}`, socket('published')),
  ];
  await up.up();
  const url = `http://localhost:${port}`;
  const inNode = async (...words: string[]): Promise<string> => {
    const { code, output } = (await up.containers.get('lictor')?.exec('lictor', ...words)) ?? { code: null, output: '' };
    expect(code, output).toBe(0);
    return output;
  };
  const ask = async (headers: Record<string, string>, init: RequestInit = {}) => (await fetch(`${url}/api/flows/filter`, { ...POST, ...init, headers })).status;
  const bearer = (token: string) => ({ 'content-type': 'application/json', authorization: `Bearer ${token}` });
  const host = { host: `localhost:${port}` };
  let token = '';
  return {
    async isClosed() {
      expect(published(project)).toEqual({ balancer: ['127.0.0.1:8200->8200'] });
      expect(await statusAt(socket('published'), host)).toBe(401);
      await expect(statusAt(socket('past'), host)).rejects.toThrow(/hang up|EPIPE|ECONNRESET/);
      expect([...new Set(Object.values(project.services).flatMap(({ networks = {} }) => ('store' in networks ? Object.keys(networks) : [])))].sort()).toEqual([
        'nodes',
        'prefect',
        'store',
      ]);
    },
    async isOneGateway() {
      token = /lct_\w+/.exec(await inNode('token', 'create', 'ci', '--role', 'viewer'))?.[0] ?? '';
      const password = /^ {2}((?:\w{5}-){3}\w{5})$/m.exec(await inNode('account', 'add', 'alice', '--role', 'viewer'))?.[1] ?? '';
      const { cookie } = await logIn(url, { name: 'alice', password });
      for (const credential of [bearer(token), { cookie, 'content-type': 'application/json', origin: url }])
        for (const node of NODES) expect(await statusAt(socket(node), { ...host, ...credential })).toBe(200);
      for (const node of NODES) expect(await statusAt(socket(node), { ...host, ...bearer('lct_unknown') })).toBe(401);
      expect([await ask(bearer(token)), await ask(bearer('lct_unknown'))]).toEqual([200, 401]);
      // A record has the address that only the load balancer sees.
      const audit = () => inNode('audit', '--principal', 'token:ci', '--json');
      await waitFor(async () => (await audit()).includes(up.address('person', 'clients')), { what: 'the address of the client', everyMs: 500 });
    },
    async outlivesNode() {
      up.containers.get('lictor')?.signal('SIGKILL');
      await up.containers.get('lictor')?.exited;
      const answers: number[] = [];
      for (let sent = 0; sent < 60; sent += 1) answers.push(await ask(bearer(token)));
      expect(new Set(answers)).toEqual(new Set([200]));
      await up.containers.get('lictor-2')?.exec('lictor', 'token', 'revoke', 'ci');
      await waitFor(async () => (await ask(bearer(token))) === 401, { what: 'the revocation at the node that is left' });
    },
    async stop() {
      for (const server of servers) server.close();
      await up.stop();
    },
  };
}

const POST = { method: 'POST', body: '{"limit":1}' };

/** The files as the page has the reader lay them out, with another public_url. */
async function filesOf(project: string, port: number): Promise<readonly string[]> {
  mkdirSync(project, { recursive: true });
  cpSync(join(REPOSITORY, 'packaging/compose'), project, { recursive: true });
  await must('sh', ['-c', `cd '${project}' && cat lictor/two-nodes.yaml >>lictor/lictor.yaml`]);
  for (const file of ['lictor/lictor.yaml', 'balancer/haproxy.cfg'])
    writeFileSync(join(project, file), readFileSync(join(project, file), 'utf8').replaceAll('prefect.localhost:8200', `localhost:${port}`));
  return ['compose.yaml', 'compose.two-nodes.yaml'].map((file) => join(project, file));
}

const published = ({ services }: Project) =>
  Object.fromEntries(
    Object.entries(services).flatMap(([name, { ports }]) =>
      ports === undefined ? [] : [[name, ports.map(({ host_ip, published: at, target }) => `${host_ip}:${at}->${target}`)]],
    ),
  );

/** Of a request through a socket in the file system. */
function statusAt(socketPath: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path: '/api/flows/filter', method: POST.method, agent: false, headers, timeout: 5_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.once('error', reject).end(POST.body);
  });
}
