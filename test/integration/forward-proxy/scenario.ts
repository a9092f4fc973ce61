// Runs in a separate namespace (own-internet.ts): a gateway, a Prefect, a foreign host, and a run that connects to it. Prints the results.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createAuthority } from '../../env/authority.ts';
import { type Gateway, jsonLines, startGateway } from '../../env/gateway.ts';
import { watchLateness, watchWaiting } from '../../env/lateness.ts';
import { PUBLIC_ADDRESS } from '../../env/own-internet.ts';
import { send, setState, tokenFor } from '../../env/polled.ts';
import { directTo, field, text } from '../../env/prefect.ts';
import { startPrefect } from '../../env/prefect-server.ts';
import { run, stopLeftOvers, waitFor } from '../../env/process.ts';
import { openSession, prefectOk, startRun, startWorker } from '../stock/session.ts';

const PORT = 8201;
const [hosts = ''] = process.argv.slice(2);
const lines = ['127.0.0.1 localhost', `${PUBLIC_ADDRESS} api.example.com a.pypi.example other.test`, '10.0.0.7 inside.pypi.example'];
writeFileSync(hosts, `${lines.join('\n')}\n`);
const authority = createAuthority();
const own = authority.issue({ names: ['api.example.com', 'a.pypi.example'], days: 5 });
const policies = join(hosts, '..', 'policies');

const pages: RequestListener = (request, response) =>
  response.end(`${request.headers.host} ${request.url} ${request.headers['proxy-authorization'] ?? 'no credential'}`);
const plain = createServer(pages);
const secure = createSecureServer({ cert: readFileSync(own.chain), key: readFileSync(own.key) }, pages);
await new Promise<void>((resolve) => plain.listen(80, PUBLIC_ADDRESS, resolve));
await new Promise<void>((resolve) => secure.listen(443, PUBLIC_ADDRESS, resolve));

const prefect = await startPrefect();
const gateway = await startGateway({
  upstream: prefect,
  config: { policies, forward_proxy: { listen: `127.0.0.1:${PORT}`, allow: ['api.example.com', '*.pypi.example', 'localhost.example'] } },
});
try {
  console.log(JSON.stringify(await scenario(gateway)));
} finally {
  await gateway.close();
  await prefect.stop();
  authority.remove();
  plain.close();
  secure.close();
  secure.closeAllConnections();
  await stopLeftOvers();
}

async function scenario(door: Gateway): Promise<object> {
  const worker = await door.token('etl', ['deployer', 'worker']);
  const ours = await begun(door, worker.secret, 'team-a');
  const theirs = await begun(door, worker.secret, 'team-b');
  const [https, http] = ['https://api.example.com/v1?x=1', 'http://a.pypi.example/simple'];
  const asOurs = await httpx(ours.token, [
    https,
    http,
    'https://other.test/',
    'https://169.254.169.254/',
    'http://2852039166/',
    'https://inside.pypi.example/',
  ]);
  const asTheirs = await httpx(theirs.token, [https]);
  // DNS rebinding: the tunnel stays where it is, and a new one is refused.
  const tunnel = await openTunnel(ours.token);
  writeFileSync(hosts, `127.0.0.1 localhost\n127.0.0.1 api.example.com\n`);
  const rebound = await httpx(ours.token, [https]);
  const openMeanwhile = !tunnel.closed;
  writeFileSync(hosts, `${lines.join('\n')}\n`);
  const reloaded = await withoutHost(door, ours.token, tunnel);
  const again = await openTunnel(ours.token);
  const doctor = (await door.lictor('doctor', '--json')).output;
  const stock = await stockRun(door, worker.secret, [https, 'https://other.test/']);
  // Of the worker: it ends the tokens of its runs.
  await door.lictorOk('token', 'revoke', 'etl');
  const [revokedAt, lateness, waiting] = [performance.now(), watchLateness(), watchWaiting(door.pids().control)];
  await waitFor(() => again.closed, { what: 'the tunnel of a run whose token is revoked to close', everyMs: 20 });
  const [closedAfterMs, lateMs, waitedMs] = [performance.now() - revokedAt, lateness(), waiting()];
  const records = async (id: string) => jsonLines(await door.lictorOk('audit', '--since', '10m', '--flow-run', id, '--action', 'services.connect', '--json'));
  await waitFor(async () => (await records(ours.run)).length >= 11, { what: 'the records', everyMs: 300 }).catch(() => undefined);
  return {
    ...{ asOurs, asTheirs, rebound, openMeanwhile, reloaded, closedAfterMs, lateMs, waitedMs, doctor, stock },
    ...{ ours: await records(ours.run), theirs: await records(theirs.run), timeline: await door.lictorOk('timeline', ours.run) },
  };
}

/** A run with this tag that its worker has begun. */
async function begun(door: Gateway, worker: string, tag: string): Promise<{ readonly run: string; readonly token: string }> {
  const server = directTo(prefect);
  const variables = { type: 'object', properties: { env: { type: 'object' }, command: { type: 'string' } } };
  const template = { job_configuration: { env: '{{ env }}', command: '{{ command }}' }, variables };
  await server.post('/work_pools/', { name: tag, type: 'process', base_job_template: template });
  const flow = text(field(await server.post('/flows/', { name: 'out' }), 'id'));
  const made = await server.post('/deployments/', { name: tag, flow_id: flow, work_pool_name: tag, tags: [tag] });
  const started = await send(door, 'POST', `/api/deployments/${text(field(made, 'id'))}/create_flow_run`, { token: worker, body: {} });
  const id = text(field(await started.json(), 'id'));
  const token = await tokenFor(door, tag, worker, id);
  await setState(door, id, worker, 'PENDING');
  await setState(door, id, token, 'RUNNING');
  return { run: id, token };
}

/** A stock flow under a process worker, whose deployment has HTTPS_PROXY in the environment of its runs. */
async function stockRun(door: Gateway, token: string, urls: readonly string[]): Promise<object> {
  const session = openSession(prefect, { venv: prefect.venv, url: door.url, credential: { carrier: 'custom-x-lictor-token', token } }, 'outward');
  const env = { HTTPS_PROXY: `http://run:\${LICTOR_RUN_TOKEN}@127.0.0.1:${PORT}`, NO_PROXY: 'localhost', SSL_CERT_FILE: authority.root };
  try {
    await startWorker(session);
    const options = ['--name', session.pool, '--pool', session.pool, '--tag', 'team-a', '--job-variable', JSON.stringify({ env })];
    await prefectOk(session, '--no-prompt', 'deploy', 'outward.py:outward', ...options);
    const id = await startRun(session, `outward/${session.pool}`, `urls=${JSON.stringify(urls)}`);
    await session.server.awaitRunState(id, ['COMPLETED', 'FAILED', 'CRASHED'], 180_000);
    const logs = async () => (await session.server.logMessages(id)).join('\n');
    await waitFor(async () => (await logs()).includes('outward is through'), { what: 'the last log line', timeoutMs: 60_000, everyMs: 500 }).catch(
      () => undefined,
    );
    const found = async () => jsonLines(await door.lictorOk('audit', '--since', '10m', '--flow-run', id, '--action', 'services.connect', '--json'));
    await waitFor(async () => (await found()).length >= 2, { what: 'the records of the flow', timeoutMs: 60_000, everyMs: 500 }).catch(() => undefined);
    const stored =
      JSON.stringify(await session.server.get(`/flow_runs/${id}`)) + JSON.stringify(await session.server.get(`/deployments/name/outward/${session.pool}`));
    return { id, said: await logs(), records: await found(), kept: /lcf_/.test(stored) };
  } finally {
    await session.client.stop();
  }
}

async function httpx(token: string, urls: readonly string[]): Promise<Record<string, unknown>> {
  const proxy = `http://run:${token}@127.0.0.1:${PORT}`;
  const env = { PATH: process.env['PATH'], HTTPS_PROXY: proxy, HTTP_PROXY: proxy, SSL_CERT_FILE: authority.root };
  const finished = await run({ name: 'a task', command: join(prefect.venv, 'bin', 'python'), args: [join(import.meta.dirname, 'client.py'), ...urls], env });
  return jsonLines(finished.output)[0] ?? { failed: finished.output };
}

interface Tunnel {
  readonly closed: boolean;
}

async function openTunnel(token: string): Promise<Tunnel> {
  const socket: Socket = connect(PORT, '127.0.0.1');
  const state = { closed: false };
  socket.on('error', () => undefined).once('close', () => Object.assign(state, { closed: true }));
  socket.write(`CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com:443\r\nProxy-Authorization: Bearer ${token}\r\n\r\n`);
  const head = await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(String(chunk))));
  if (!head.startsWith('HTTP/1.1 200')) throw new Error(head);
  return state;
}

/** A reload takes the host off the list, which ends the tunnel to it, and puts it back. */
async function withoutHost(door: Gateway, token: string, tunnel: Tunnel): Promise<unknown> {
  const before = readFileSync(door.configFile, 'utf8');
  const reload = async (yaml: string, revision: string): Promise<void> => {
    writeFileSync(door.configFile, yaml);
    process.kill(door.pids().supervisor, 'SIGHUP');
    await door.says(`applied: revision ${revision}`);
  };
  await reload(before.replace('- api.example.com', '- none.example.com'), '1 -> 2');
  await waitFor(() => tunnel.closed, { what: 'the tunnel to a host that is no longer listed to close', everyMs: 20 });
  const answers = await httpx(token, ['https://api.example.com/']);
  await reload(before, '2 -> 3');
  return answers;
}
