// docs/tutorials/one-service.md, word by word: its files, commands and flow, before a real Prefect with a stock worker.
import { appendFileSync, chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { docsBlock } from '../env/docs.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { type Finished, run, waitFor } from '../env/process.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';
import { flowRunIdOf, openSession, prefectOk, type StockSession, startWorker } from './stock/session.ts';

const PAGE = 'tutorials/one-service.md';
const prefect = sharedPrefect();
/** Stands for the checkout: `./lictor` and its `.lictor`. */
const checkout = mkdtempSync(join(tmpdir(), 'lictor-test-one-service-'));
let billing: Recorder;
let gateway: Gateway;
let session: StockSession;

beforeAll(async () => {
  billing = await startRecorder();
  billing.answerWith(({ headers }) => (headers['x-api-key'] === 'the-key-of-billing' ? { status: 200, body: 'eur 1.08' } : { status: 401, body: 'no key' }));
  gateway = await startGateway({ upstream: prefect });
  symlinkSync(gateway.stateDir, join(checkout, '.lictor'));
  const main = join(REPOSITORY, 'src/cli/main.ts');
  writeFileSync(join(checkout, 'lictor'), `#!/bin/sh\nexec '${process.execPath}' '${main}' --state-dir '${gateway.stateDir}' "$@"\n`);
  chmodSync(join(checkout, 'lictor'), 0o755);
  const { secret } = await gateway.token('etl', ['deployer', 'worker']);
  const settings = { PYTHONPATH: join(REPOSITORY, 'python/src') };
  session = openSession(prefect, { venv: prefect.venv, url: gateway.url, credential: { carrier: 'auth-string', token: secret }, settings }, 'one-service');
  await startWorker(session);
});
afterAll(async () => {
  await session?.client.stop();
  await gateway?.close();
  await billing?.close();
  rmSync(checkout, { recursive: true });
});

/** A block of the page, with the addresses and names of this test. */
const block = (beginning: string): string =>
  docsBlock(PAGE, beginning)
    .replaceAll('/etc/lictor', gateway.stateDir)
    .replaceAll('http://10.1.0.1:8080', billing.url)
    .replaceAll('--pool etl', `--pool ${session.pool}`);

const shell = (script: string): Promise<Finished> =>
  run({ name: 'one-service', command: 'sh', args: ['-ec', script], cwd: checkout, env: { PATH: process.env['PATH'], HOME: checkout } });

async function typed(beginning: string, words: Readonly<Record<string, string>> = {}): Promise<string> {
  const script = Object.entries(words).reduce((text, [word, value]) => text.replaceAll(word, value), block(beginning));
  const { code, output } = await shell(script);
  expect(code, output).toBe(0);
  return output;
}

async function checkAndReload(): Promise<void> {
  const reloads = async () => jsonLines(await gateway.lictorOk('audit', '--action', 'config.reload', '--json')).length;
  const before = await reloads();
  await typed('./lictor check');
  await waitFor(async () => (await reloads()) > before, { what: 'the reload', timeoutMs: 60_000, everyMs: 300 });
}

async function runOf(deployment: string, end: string): Promise<string> {
  const id = flowRunIdOf(await prefectOk(session, 'deployment', 'run', deployment));
  expect(await session.server.awaitRunState(id, ['COMPLETED', 'FAILED', 'CRASHED'], 180_000), (await session.server.logMessages(id)).join('\n')).toBe(end);
  const calls = async () => jsonLines(await gateway.lictorOk('audit', '--flow-run', id, '--json')).filter(({ service }) => service === 'billing');
  await waitFor(async () => (await calls()).length > 0, { what: 'the record of the call', timeoutMs: 60_000, everyMs: 300 });
  return id;
}

const timelineOf = (id: string): Promise<string> => typed('./lictor timeline', { RUN_ID: id });

it('the runs of one team call the service with its key, and the timeline shows it; those of another team do not', async () => {
  await typed('(umask 077');
  appendFileSync(gateway.configFile, block('policies:'));
  writeFileSync(join(gateway.stateDir, 'policies/billing.cedar'), block('@id('));
  writeFileSync(join(gateway.stateDir, 'policies/billing.vectors.yaml'), block('vectors:'));
  await checkAndReload();
  writeFileSync(join(session.client.project, 'rates.py'), block('from prefect import flow'));
  const [deployA = '', deployB = '', ...runs] = block('prefect --no-prompt deploy').trim().split('\n');
  for (const command of [deployA, deployB]) await prefectOk(session, ...command.split(' ').slice(1));
  expect(runs).toEqual(['prefect deployment run rates/team-a', 'prefect deployment run rates/team-b']);
  const allowed = await runOf('rates/team-a', 'COMPLETED');
  const denied = await runOf('rates/team-b', 'FAILED');
  await waitFor(async () => (await session.server.logMessages(allowed)).includes('eur 1.08'), { what: 'the printed rates', timeoutMs: 60_000, everyMs: 300 });
  expect(billing.seen()).toMatchObject([{ method: 'GET', target: '/v1/rates', headers: { 'x-api-key': 'the-key-of-billing' } }]);
  expect(await timelineOf(allowed)).toMatch(/billing GET \/v1\/rates +200 +verified/);
  expect(await timelineOf(denied)).toMatch(/billing GET \/v1\/rates +403 +verified +policy-default-deny/);
  expect((await shell(block('./lictor explain').replace('RUN_ID', denied))).output).toContain('policy-default-deny');
}, 400_000);
