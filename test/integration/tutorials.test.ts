// docs/tutorials/first-worker.md, then agent-that-reruns.md and one-service.md with the same worker: their files, commands and flows, before a real Prefect.
import { appendFileSync, chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { docsBlock } from '../env/docs.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { mcpProgram } from '../env/mcp-clients.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { type Finished, run, waitFor } from '../env/process.ts';
import { MAIN } from '../env/program.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';
import { flowRunIdOf, openSession, prefectOk, type StockSession, startRun } from './stock/session.ts';

const FIRST = 'tutorials/first-worker.md';
const AGENT = 'tutorials/agent-that-reruns.md';
const SERVICE = 'tutorials/one-service.md';
const prefect = sharedPrefect();
/** Stands for the checkout: `./lictor` and its `.lictor`. */
const checkout = mkdtempSync(join(tmpdir(), 'lictor-test-tutorials-'));
let billing: Recorder;
let gateway: Gateway;
let session: StockSession;

beforeAll(async () => {
  billing = await startRecorder();
  billing.answerWith(({ headers }) => (headers['x-api-key'] === 'the-key-of-billing' ? { status: 200, body: 'eur 1.08' } : { status: 401, body: 'no key' }));
  const yaml = ({ url }: { readonly url: string }) =>
    docsBlock(FIRST, 'public_url:').replace('http://localhost:8200', url).replace('http://127.0.0.1:4200', prefect.url);
  gateway = await startGateway({ upstream: prefect, yaml });
  symlinkSync(gateway.stateDir, join(checkout, '.lictor'));
  symlinkSync('lictor.yaml', join(gateway.stateDir, 'trial.yaml'));
  writeFileSync(join(checkout, 'lictor'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' --state-dir '${gateway.stateDir}' "$@"\n`);
  chmodSync(join(checkout, 'lictor'), 0o755);
});
afterAll(async () => {
  await session?.client.stop();
  await gateway?.close();
  await billing?.close();
  rmSync(checkout, { recursive: true });
});

/** A block of a page, with the addresses and names of this test. */
const block = (page: string, beginning: string): string =>
  docsBlock(page, beginning)
    .replaceAll('/etc/lictor', gateway.stateDir)
    .replaceAll('http://10.1.0.1:8080', billing.url)
    .replaceAll('http://localhost:8200', gateway.url)
    .replaceAll(/--pool (?:etl|local)/g, `--pool ${session?.pool}`)
    .replaceAll('work-pool create local', `work-pool create ${session?.pool}`);

const shell = (script: string): Promise<Finished> =>
  run({ name: 'tutorial', command: 'sh', args: ['-ec', script], cwd: checkout, env: { PATH: process.env['PATH'], HOME: checkout } });

/** The words of each line of a block, without the program. */
const commands = (page: string, beginning: string): readonly (readonly string[])[] =>
  block(page, beginning)
    .trim()
    .split('\n')
    .map((line) => line.split(' ').slice(1));

async function typed(page: string, beginning: string, words: Readonly<Record<string, string>> = {}): Promise<string> {
  const script = Object.entries(words).reduce((text, [word, value]) => text.replaceAll(word, value), block(page, beginning));
  const { code, output } = await shell(script);
  expect(code, output).toBe(0);
  return output;
}

/** What each line prints; it may fail. `before` stands before each line. */
async function eachLine(script: string, words: Readonly<Record<string, string>>, before = ''): Promise<readonly string[]> {
  const printed: string[] = [];
  for (const line of script.trim().split('\n')) {
    const written = Object.entries(words).reduce((text, [word, value]) => text.replaceAll(word, value), line);
    printed.push((await shell(`${before}\n${written}`)).output.trim());
  }
  return printed;
}

async function checkAndReload(page: string): Promise<void> {
  const reloads = async () => jsonLines(await gateway.lictorOk('audit', '--action', 'config.reload', '--json')).length;
  const before = await reloads();
  await typed(page, './lictor check');
  await waitFor(async () => (await reloads()) > before, { what: 'the reload', timeoutMs: 60_000, everyMs: 300 });
}

/** Starts it with a request: a command costs a second of a core. */
async function runOf(deployment: string, end: string): Promise<string> {
  return endsAs(await startRun(session, deployment), end);
}

async function endsAs(id: string, end: string): Promise<string> {
  expect(await session.server.awaitRunState(id, ['COMPLETED', 'FAILED', 'CRASHED'], 180_000), (await session.server.logMessages(id)).join('\n')).toBe(end);
  return id;
}

async function calledBilling(id: string): Promise<void> {
  const calls = async () => jsonLines(await gateway.lictorOk('audit', '--flow-run', id, '--json')).filter(({ service }) => service === 'billing');
  await waitFor(async () => (await calls()).length > 0, { what: 'the record of the call', timeoutMs: 60_000, everyMs: 300 });
}

const timelineOf = (page: string, id: string): Promise<string> => typed(page, './lictor timeline', { RUN_ID: id });

it('the first worker runs a flow through the gateway, and the timeline names who started it', async () => {
  expect(commands(FIRST, './lictor check').map(([command]) => command)).toEqual(['check', 'up']);
  expect((await shell('./lictor check -c .lictor/trial.yaml')).output).toContain('no problem');
  const made = await typed(FIRST, './lictor account add alice');
  const token = /export PREFECT_API_AUTH_STRING=any:(lct_\w+)/.exec(made)?.[1] ?? '';
  expect(made).toContain(`export PREFECT_API_URL=${gateway.url}/api`);
  const settings = { PYTHONPATH: join(REPOSITORY, 'python/src') };
  session = openSession(prefect, { venv: prefect.venv, url: gateway.url, credential: { carrier: 'auth-string', token }, settings }, 'tutorial');
  writeFileSync(join(session.client.project, 'hello.py'), block(FIRST, 'from prefect import flow'));
  const [createPool = [], deploy = [], startWorker = []] = commands(FIRST, 'prefect work-pool create');
  for (const words of [createPool, deploy]) await prefectOk(session, ...words);
  await session.client.startPrefect(startWorker);
  expect(commands(FIRST, 'prefect deployment run')).toEqual([['deployment', 'run', 'hello/first']]);
  const id = await endsAs(flowRunIdOf(await prefectOk(session, 'deployment', 'run', 'hello/first')), 'COMPLETED');
  const timeline = await timelineOf(FIRST, id);
  expect(timeline).toContain('started by token:laptop');
  expect(timeline).toMatch(/run:\S+ +flow_runs\.set_state +201 +verified/);
  expect((await shell(block(FIRST, 'curl'))).output).toContain('"credential-missing"');
  expect(commands(FIRST, './lictor token revoke').map(([noun, verb]) => `${noun} ${verb}`)).toEqual(['token revoke', 'audit --decision']);
}, 400_000);

it('an agent over MCP reruns the failed runs of one deployment, and does nothing else', async () => {
  const project = session.client.project;
  writeFileSync(join(project, 'report.py'), block(AGENT, 'from pathlib'));
  await Promise.all(
    commands(AGENT, 'prefect --no-prompt')
      .slice(0, 2)
      .map((line) => prefectOk(session, ...line)),
  );
  const [daily, weekly] = await Promise.all([runOf('report/daily', 'FAILED'), runOf('report/weekly', 'FAILED')]);
  const ids = { DAILY_RUN: daily, WEEKLY_RUN: weekly };

  appendFileSync(gateway.configFile, block(AGENT, 'policies:'));
  await typed(AGENT, 'install -d');
  writeFileSync(join(gateway.stateDir, 'policies/rerunner.cedar'), block(AGENT, '@id('));
  writeFileSync(join(gateway.stateDir, 'policies/rerunner.vectors.yaml'), block(AGENT, 'vectors:'));
  await checkAndReload(AGENT);
  const answers = await eachLine(block(AGENT, './lictor explain'), ids);
  expect(answers.map((answer) => answer.split(' ')[0])).toEqual(['allow', 'deny', 'deny', 'deny']);

  const token = /lct_\w+/.exec(await typed(AGENT, './lictor token create'))?.[0] ?? '';
  writeFileSync(join(gateway.stateDir, 'mcp.json'), block(AGENT, '{').replace('lct_...', token), { mode: 0o600 });
  const [define = '', list = ''] = block(AGENT, 'mcp()').split('\n');
  const mcp = define.replace('npx --yes @modelcontextprotocol/inspector', `'${process.execPath}' '${await mcpProgram('inspector')}'`);
  const agent = (script: string) => eachLine(script, { ...ids, 'orders.csv': join(project, 'orders.csv') }, mcp);

  const [tools = ''] = await agent(list);
  expect(['run_deployment', 'cancel_flow_run', 'pause_flow_run', 'resume_flow_run', 'pause_schedule'].filter((name) => tools.includes(`"${name}"`))).toEqual(
    [],
  );
  expect(tools).toContain('"retry_flow_run"');
  const [runs = '', logs = ''] = await agent(block(AGENT, 'mcp --method tools/call --tool-name get_flow_runs'));
  expect([runs.includes(daily), runs.includes(weekly)]).toEqual([true, false]);
  expect(logs).toContain('FileNotFoundError');

  const [, rerun = ''] = await agent(block(AGENT, "echo '42 orders'"));
  expect(rerun).toContain('"ACCEPT"');
  await session.server.awaitRunState(daily, ['COMPLETED'], 180_000);
  const refused = await agent(block(AGENT, 'mcp --method tools/call --tool-name retry_flow_run'));
  expect(refused.map((answer) => /"code": ?"([\w-]+)"/.exec(answer)?.[1])).toEqual(['not-retryable', 'tool_not_found', 'policy-default-deny']);
  expect(refused[2]).toContain('an own policy permits it only on other objects or under other conditions');
  expect([await session.server.runState(daily), await session.server.runState(weekly)]).toEqual(['COMPLETED', 'FAILED']);

  expect(await typed(AGENT, './lictor timeline', ids)).toMatch(/rerunner for alice@\S+ +flow_runs\.retry +201/);
  expect(await typed(AGENT, './lictor audit')).toMatch(/flow_runs\.retry.*policy-default-deny/);
  const [, after = ''] = await eachLine(block(AGENT, './lictor agent stop'), ids, mcp);
  expect(after).not.toContain('get_flow_runs');
  // Lictor stores no secret in clear text: this file is the client's.
  rmSync(join(gateway.stateDir, 'mcp.json'));
}, 400_000);

it('the runs of one team call the service with its key, and the timeline shows it; those of another team do not', async () => {
  await typed(SERVICE, '(umask 077');
  // The file has `policies` already.
  appendFileSync(gateway.configFile, block(SERVICE, 'policies:').replace(/^policies: .*\n/, ''));
  writeFileSync(join(gateway.stateDir, 'policies/billing.cedar'), block(SERVICE, '@id('));
  writeFileSync(join(gateway.stateDir, 'policies/billing.vectors.yaml'), block(SERVICE, 'vectors:'));
  await checkAndReload(SERVICE);
  writeFileSync(join(session.client.project, 'rates.py'), block(SERVICE, 'from prefect import flow'));
  const [deployA = '', deployB = '', ...runs] = block(SERVICE, 'prefect --no-prompt deploy').trim().split('\n');
  await Promise.all([deployA, deployB].map((command) => prefectOk(session, ...command.split(' ').slice(1))));
  expect(runs).toEqual(['prefect deployment run rates/team-a', 'prefect deployment run rates/team-b']);
  const [allowed, denied] = await Promise.all([runOf('rates/team-a', 'COMPLETED'), runOf('rates/team-b', 'FAILED')]);
  for (const id of [allowed, denied]) await calledBilling(id);
  await waitFor(async () => (await session.server.logMessages(allowed)).includes('eur 1.08'), { what: 'the printed rates', timeoutMs: 60_000, everyMs: 300 });
  expect(billing.seen()).toMatchObject([{ method: 'GET', target: '/v1/rates', headers: { 'x-api-key': 'the-key-of-billing' } }]);
  expect(await timelineOf(SERVICE, allowed)).toMatch(/billing GET \/v1\/rates +200 +verified/);
  expect(await timelineOf(SERVICE, denied)).toMatch(/billing GET \/v1\/rates +403 +verified +policy-default-deny/);
  const said = (await session.server.logMessages(denied)).join('\n');
  expect(said).toContain('an own policy permits it only on other objects or under other conditions');
  const [, request = ''] = /\[request (\w+)\]/.exec(said) ?? [];
  const { output } = await shell(block(SERVICE, './lictor explain').replace('REQUEST_ID', request));
  expect(output).toContain('policy-default-deny');
  expect(output).not.toContain('run-token-ended');
  // The end of the first tutorial: nothing runs on with a revoked token.
  expect(await typed(FIRST, './lictor token revoke')).toContain('credential-missing');
  expect((await gateway.fetch('/api/flow_runs/count', { method: 'POST', token: session.options.credential.token })).status).toBe(401);
}, 400_000);

it('the service sees one call of two with the cache, and a caller beyond the limit gets 429', async () => {
  appendFileSync(gateway.configFile, block(SERVICE, '    limit:'));
  await checkAndReload(SERVICE);
  billing.clear();
  const { secret } = await gateway.token('root', ['admin']);
  const call = () => gateway.fetch('/.lictor/svc/billing/v1/rates', { token: secret });
  for (const _time of ['first', 'second']) expect(await (await call()).text()).toBe('eur 1.08');
  expect(billing.seen()).toHaveLength(1);
  const caches = async () => jsonLines(await gateway.lictorOk('audit', '--principal', 'token:root', '--json')).map(({ cache }) => cache);
  await waitFor(async () => (await caches()).join() === 'miss,hit', { what: 'the records of a miss and a hit', timeoutMs: 60_000, everyMs: 300 });
  const beyond = await Promise.all(Array.from({ length: 60 }, call));
  expect(new Set(beyond.map(({ status }) => status))).toEqual(new Set([200, 429]));
  expect(await beyond.find(({ status }) => status === 429)?.json()).toMatchObject({ code: 'limit-exceeded' });
}, 100_000);
