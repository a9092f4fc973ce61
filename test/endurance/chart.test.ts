// The gateway that the Helm chart starts, from its own values: arguments, user, volumes and probes of the rendered pods, before a real Prefect.
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { selfSigned } from '../env/certificate.ts';
import { objectOf, type Rendered, renderChart } from '../env/chart.ts';
import { docsBlock } from '../env/docs.ts';
import { freePort } from '../env/free-port.ts';
import { buildTree } from '../env/packages.ts';
import { type Pod, type PodOptions, startPod, statusOf } from '../env/pod.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { start, waitFor } from '../env/process.ts';
import { type Postgres, startPostgres } from '../env/several/postgres.ts';
import { bringProgram } from '../runner/programs.ts';

const PAGE = 'how-to/kubernetes.md';
const prefect = sharedPrefect();
const HOST = { Host: 'prefect.example.com' };
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-pod-'));
const program = join(directory, 'program');
const secrets = { 'prefect-auth': { 'auth-string': prefect.authString }, 'lictor-oidc': { 'client-secret': 'c2a9e1704bd84f0e' } };
let guide: Rendered;
let ownTls: Rendered;
let nodes: Rendered;
let postgres: Postgres;
let pods: Pod[] = [];

beforeAll(async () => {
  // Also another user must read the program, as in an image.
  chmodSync(directory, 0o755);
  await buildTree(program);
  mkdirSync(join(program, 'bin'));
  cpSync(process.execPath, join(program, 'bin/node'));
  const values = parse(docsBlock(PAGE, '    image:'));
  const more = parse(docsBlock(PAGE, 'tls: { secret'));
  const several = parse(docsBlock(PAGE, 'replicas: 2'));
  const ofNodes = { ...values, ...several, config: { ...values.config, ...several.config } };
  [guide, ownTls, nodes] = (await renderChart([{ values }, { values: { ...values, ...more } }, { values: ofNodes }])) as [Rendered, Rendered, Rendered];
  postgres = await startPostgres();
});
afterAll(async () => {
  await Promise.all(pods.map((pod) => pod.stop()));
  await postgres?.stop();
  rmSync(directory, { recursive: true });
});

interface More extends Pick<PodOptions, 'name' | 'command'> {
  readonly secrets?: PodOptions['secrets'];
}

/** Where this machine has what the page names. */
const placed = (text: string): string =>
  text
    .replace('http://prefect-server.prefect.svc:4200', prefect.url)
    .replace('10.42.0.0/16', '127.0.0.0/8')
    .replace('lictor@postgres.databases.svc/lictor?sslmode=verify-full', postgres.address);

/** A pod of the claim of this name. */
async function podOf(rendered: Rendered, claim: string, more: More = {}): Promise<Pod> {
  const port = await freePort();
  const place = (text: string) => placed(text.replace('0.0.0.0:8200', `127.0.0.1:${port}`));
  const pod = await startPod({ ...more, rendered, program, port, place, directory: join(directory, claim), secrets: { ...secrets, ...more.secrets } });
  pods.push(pod);
  return pod;
}

async function stopped(pod: Pod): Promise<number | null> {
  pods = pods.filter((other) => other !== pod);
  return pod.stop();
}

const page = (): string => readFileSync(join(import.meta.dirname, '../../docs', PAGE), 'utf8');

/** A command of the page in the pod. */
async function typed(pod: Pod, beginning: string): Promise<string> {
  const line = page()
    .split('\n')
    .map((text) => text.trim())
    .find((text) => text.startsWith(beginning));
  const words = placed(line ?? beginning)
    .replaceAll('"', '')
    .split(' ');
  const { output, code } = await pod.exec(...words);
  expect(code, output).toBe(0);
  return output;
}

const basic = (token: string) => ({ ...HOST, Authorization: `Basic ${Buffer.from(`any:${token}`).toString('base64')}` });

it('starts as the Deployment says, and a second pod continues with its state', async () => {
  const pod = await podOf(guide, 'guide');
  await pod.started();
  expect([await pod.probe('livenessProbe'), await pod.probe('readinessProbe')]).toEqual([200, 200]);
  const other = { Host: '10.42.0.7:8200' };
  expect([await pod.probe('readinessProbe', other), await pod.ask('/.lictor/ready', other)]).toEqual([200, 400]);
  // The provider of the page is away: readiness must not depend on it.
  expect(await pod.ask('/.lictor/ready', HOST)).toBe(503);

  expect(await typed(pod, 'lictor account add')).toContain('admin');
  const token = /lct_\w+/.exec(await typed(pod, 'lictor token create'))?.[0] ?? '';
  expect([await pod.ask('/api/admin/version', basic(token)), await pod.ask('/api/admin/version', HOST)]).toEqual([200, 401]);
  const { output: findings } = await pod.exec('lictor', 'doctor');
  expect(findings).toMatch(/ok +Prefect .* accepts the credential/);
  // The names of the page have no address here.
  expect(findings.match(/^ +(?:warn|FAIL) .*/gm)?.filter((line) => !/example\.com|certificates |not reached at/.test(line))).toEqual([]);
  const checked = /-- sh -c '(rm -rf .*)'/.exec(page())?.[1] ?? '';
  const checks = (yaml: string) => pod.exec('sh', '-c', checked.replace('cat >', `(cat /etc/lictor/lictor.yaml; echo '${yaml}') >`));
  expect(await checks('')).toMatchObject({ code: 0, output: expect.stringContaining('no problem') });
  expect(await checks('metrics: { listen: 0.0.0.0:9464 }')).toMatchObject({ code: 1, output: expect.stringContaining('metrics.listen') });
  for (const file of ['/x', '/etc/lictor/x', '/run/secrets/lictor/prefect-auth/x', '/usr/x'])
    expect((await pod.exec('sh', '-c', `: >${file}`)).output).toMatch(/Read-only|Permission denied/);
  expect(await stopped(pod)).toBe(0);

  const next = await podOf(guide, 'guide');
  await next.started();
  expect(await next.ask('/api/admin/version', basic(token))).toBe(200);
  expect(await stopped(next)).toBe(0);
}, 300_000);

it('ends TLS itself with the Secret of a certificate', async () => {
  const { cert, key } = await selfSigned();
  const pod = await podOf(ownTls, 'own-tls', { secrets: { 'prefect-tls': { 'tls.crt': readFileSync(cert, 'utf8'), 'tls.key': readFileSync(key, 'utf8') } } });
  await pod.started();
  expect([await pod.probe('readinessProbe'), await pod.ask('/api/admin/version', HOST)]).toEqual([200, 401]);
}, 300_000);

it('does not start with a secret that every user can read', async () => {
  const open: Rendered = JSON.parse(JSON.stringify(guide).replaceAll('"defaultMode":288', '"defaultMode":292'));
  const pod = await podOf(open, 'open-secret');
  pods = pods.filter((other) => other !== pod);
  expect((await pod.exited).code).not.toBe(0);
  expect(pod.output()).toContain('can be read or written by every user');
}, 300_000);

/** The Service: HAProxy over the pods whose readiness probe succeeds. */
async function serviceOf(members: readonly Pod[]) {
  const { readinessProbe } = objectOf(nodes, 'StatefulSet').spec.template.spec.containers[0];
  const { path, httpHeaders } = readinessProbe.httpGet;
  const headers = httpHeaders.map(({ name, value }: { name: string; value: string }) => `hdr ${name} ${value}`).join(' ');
  const port = await freePort();
  const check = `check inter ${readinessProbe.periodSeconds}s fall ${readinessProbe.failureThreshold ?? 3}`;
  const config = [
    'defaults\n mode http\n timeout connect 2s\n timeout client 1m\n timeout server 1m\n option redispatch 1\n retries 3',
    `listen service\n bind 127.0.0.1:${port}\n option httpchk\n http-check send meth GET uri ${path} ver HTTP/1.1 ${headers}`,
    ...members.map((pod, index) => ` server lictor-${index} 127.0.0.1:${pod.port} ${check}`),
  ];
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(file, `${config.join('\n')}\n`);
  const ask = (token: string) => statusOf(`http://127.0.0.1:${port}/api/admin/version`, basic(token));
  const running = await start({
    name: 'the Service',
    command: 'haproxy',
    args: ['-db', '-f', file],
    env: process.env,
    ready: async () => (await ask('')) === 401,
  });
  return { ask, stop: running.stop };
}

it('two nodes continue with the state of one, and one of them may end', async () => {
  await bringProgram('haproxy', process.env, (line) => void process.stderr.write(`${line}\n`));
  const one = await podOf(guide, 'node-0');
  await one.started();
  const token = /lct_\w+/.exec(await typed(one, 'lictor token create'))?.[0] ?? '';
  expect(await stopped(one)).toBe(0);
  const idle = await podOf(guide, 'node-0', { command: ['sleep', 'infinity'] });
  expect((await idle.exec('sh', '-c', 'umask 077 && echo not-asked-for >/tmp/password')).code).toBe(0);
  const [, migrate = ''] = /-- (lictor store migrate .*)/.exec(page()) ?? [];
  expect(await typed(idle, migrate)).toContain('counts and digests agree');
  const seal = (await idle.exec('cat', '/var/lib/lictor/keys/seal.key')).output;
  idle.signal('SIGKILL');
  await stopped(idle);

  const more = { secrets: { 'lictor-seal': { 'seal.key': seal }, 'lictor-store': { password: 'not-asked-for' } } };
  const members: Pod[] = [];
  for (const index of [0, 1]) {
    const pod = await podOf(nodes, `node-${index}`, { ...more, name: `lictor-${index}` });
    await pod.started();
    expect(await pod.probe('readinessProbe')).toBe(200);
    members.push(pod);
  }
  const [first, second] = members as [Pod, Pod];
  for (const pod of members)
    expect([await pod.ask('/api/admin/version', basic(token)), await pod.ask('/api/admin/version', basic('lct_x'))]).toEqual([200, 401]);
  // The ledger from before is that of the first node.
  expect((await first.exec('lictor', 'audit', '--action', 'token.create')).output).toContain('etl-worker');
  const service = await serviceOf(members);
  first.signal('SIGKILL');
  await stopped(first);
  const answers = new Set<number | undefined>();
  for (let sent = 0; sent < 100; sent += 1) answers.add(await service.ask(token));
  expect(answers).toEqual(new Set([200]));
  expect((await second.exec('lictor', 'token', 'revoke', 'etl-worker')).code).toBe(0);
  await waitFor(async () => (await service.ask(token)) === 401, { what: 'the revocation at the node that is left' });
  const again = await podOf(nodes, 'node-0', { ...more, name: 'lictor-0' });
  await again.started();
  expect(await again.ask('/api/admin/version', basic(token))).toBe(401);
  expect((await again.exec('lictor', 'audit', 'verify')).code).toBe(0);
  await service.stop();
}, 300_000);
