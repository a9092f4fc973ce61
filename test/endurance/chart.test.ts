// The gateway that the Helm chart starts, from its own values: arguments, user, volumes and probes of the rendered Deployment, before a real Prefect.
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { selfSigned } from '../env/certificate.ts';
import { type Rendered, renderChart } from '../env/chart.ts';
import { docsBlock } from '../env/docs.ts';
import { freePort } from '../env/free-port.ts';
import { buildTree } from '../env/packages.ts';
import { type Pod, startPod } from '../env/pod.ts';
import { sharedPrefect } from '../env/prefect.ts';

const PAGE = 'how-to/kubernetes.md';
const prefect = sharedPrefect();
const HOST = { Host: 'prefect.example.com' };
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-pod-'));
const program = join(directory, 'program');
const secrets = { 'prefect-auth': { 'auth-string': prefect.authString }, 'lictor-oidc': { 'client-secret': 'c2a9e1704bd84f0e' } };
let guide: Rendered;
let ownTls: Rendered;
let pods: Pod[] = [];

beforeAll(async () => {
  // Also another user must read the program, as in an image.
  chmodSync(directory, 0o755);
  await buildTree(program);
  mkdirSync(join(program, 'bin'));
  cpSync(process.execPath, join(program, 'bin/node'));
  const values = parse(docsBlock(PAGE, '    image:'));
  const more = parse(docsBlock(PAGE, 'tls: { secret'));
  [guide, ownTls] = (await renderChart([{ values }, { values: { ...values, ...more } }])) as [Rendered, Rendered];
});
afterAll(async () => {
  await Promise.all(pods.map((pod) => pod.stop()));
  rmSync(directory, { recursive: true });
});

/** A pod of the claim of this name. */
async function podOf(rendered: Rendered, claim: string, more: { secrets?: Record<string, Record<string, string>> } = {}): Promise<Pod> {
  const port = await freePort();
  const place = (text: string) =>
    text.replace('0.0.0.0:8200', `127.0.0.1:${port}`).replace('http://prefect-server.prefect.svc:4200', prefect.url).replace('10.42.0.0/16', '127.0.0.0/8');
  const pod = await startPod({ rendered, program, port, place, directory: join(directory, claim), secrets: { ...secrets, ...more.secrets } });
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
  const { output, code } = await pod.exec(...(line ?? beginning).split(' '));
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
