// Broken configurations, by `lictor check` and by SIGHUP: all problems at once with place and remedy, and nothing is touched.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { main } from '../../src/cli/main.ts';
import type { Problem } from '../../src/config/problem.ts';
import { type Gateway, jsonLines, runLictor, startGateway } from '../env/gateway.ts';
import { workersAfter } from '../env/gateway-processes.ts';
import { signalProcess, waitFor } from '../env/process.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';
import { BROKEN_CONFIGS, type BrokenConfig, type Ground, PLANTED_SECRETS } from './broken-configs.ts';

let recorder: Recorder;
let gateway: Gateway;
let ground: Ground;
let token: string;
beforeAll(async () => {
  recorder = await startRecorder();
  gateway = await startGateway({ upstream: recorder });
  const goodText = readFileSync(gateway.configFile, 'utf8');
  const spare = mkdtempSync(join(tmpdir(), 'lictor-test-broken-'));
  ground = { good: parse(goodText), goodText, prefect: recorder.url, port: gateway.port, spare };
  token = (await gateway.token('reader', ['viewer'])).secret;
});
afterAll(async () => {
  await gateway?.close();
  await recorder?.close();
  if (ground !== undefined) rmSync(ground.spare, { recursive: true, force: true });
});

function put(file: string, text: string | undefined): void {
  if (text === undefined) rmSync(file, { force: true });
  else writeFileSync(file, text);
}

function isAt({ path }: Pick<Problem, 'path'>, place: string | RegExp): boolean {
  return typeof place === 'string' ? path === place : place.test(path);
}

/** Every problem that was planted, and no other. */
function expectProblems(found: readonly Pick<Problem, 'path' | 'message' | 'remedy'>[], { problems }: BrokenConfig): void {
  const said = found.map(({ path, message, remedy }) => `${path}: ${message}\n${remedy}`);
  for (const [path, words] of problems) {
    expect(
      found.some((problem) => isAt(problem, path) && words.test(`${problem.message}\n${problem.remedy}`)),
      `${path} ${words}\nin\n${said.join('\n')}`,
    ).toBe(true);
  }
  const others = found.filter((problem) => !problems.some(([path]) => isAt(problem, path)));
  expect(others).toEqual([]);
  for (const { remedy } of found) expect(remedy).toMatch(/\w \w/);
  expect(said.join('\n')).not.toMatch(PLANTED_SECRETS);
}

async function check(file: string): Promise<{ readonly status: number; readonly output: string }> {
  let output = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      output += String(chunk);
      done();
    },
  });
  // A separate state directory, because this needs nothing of the running gateway.
  const args = ['check', '--json', '-c', file, '--state-dir', join(ground.spare, 'state')];
  const status = await main({ args, out: stream, err: stream, env: { PATH: process.env['PATH'] }, cwd: ground.spare });
  return { status, output };
}

describe('lictor check', () => {
  it('has nothing to say about the sound configuration', async () => {
    expect(await check(gateway.configFile)).toEqual({ status: 0, output: '' });
  });

  it.each(BROKEN_CONFIGS)('$name: status 1, every problem with its place and remedy', async (broken) => {
    const file = join(ground.spare, 'lictor.yaml');
    put(file, broken.text(ground));
    const { status, output } = await check(file);
    expect(status).toBe(1);
    expectProblems(
      output.split('\n').flatMap((line): Problem[] => (line.startsWith('{') ? [JSON.parse(line)] : [])),
      broken,
    );
    expect(output).not.toMatch(PLANTED_SECRETS);
  });

  it('prints them for people as well, and ends with status 1', async () => {
    const configFile = join(ground.spare, 'lictor.yaml');
    put(configFile, stringify({ ...ground.good, publik_url: 'x', store: 'mysql:x' }));
    const finished = await runLictor(['check'], { configFile, stateDir: join(ground.spare, 'state') });
    expect(finished.code).toBe(1);
    expect(finished.output).toMatch(
      /lictor\.yaml:\d+ {2}store: must be sqlite: and the path of a file, or postgres:\/\/ and a database\n {4}Write sqlite:lictor\.db\./,
    );
    expect(finished.output).toMatch(/publik_url: unknown key\n {4}Did you mean public_url\?/);
    expect(finished.output).toContain('lictor.yaml: 2 problems.');
  });
});

const controlLog = (): string => readFileSync(join(gateway.stateDir, 'log', 'control.log'), 'utf8');
/** The number and the fingerprint. */
const revision = () => {
  using store = new DatabaseSync(join(gateway.stateDir, 'lictor.db'), { readOnly: true });
  return store.prepare('SELECT number, fingerprint FROM published_revision').get();
};

/** What clients see: one request that is allowed and one that is not. */
async function answers(): Promise<readonly (readonly [number, string])[]> {
  const allowed = await gateway.fetch('/api/flows/00000000-0000-0000-0000-000000000001', { token });
  const denied = await gateway.fetch('/api/flows/00000000-0000-0000-0000-000000000001', { method: 'DELETE', token });
  return [
    [allowed.status, await allowed.text()],
    [denied.status, (await denied.text()).replace(/"request_id":\s*"[^"]*"/, '')],
  ];
}

/** Sends SIGHUP; answers what the terminal and the log have said about it. */
async function hangUp(): Promise<{ readonly terminal: string; readonly logged: readonly Record<string, unknown>[] }> {
  const [shown, logged] = [gateway.terminal().length, controlLog().length];
  const said = () => gateway.terminal().slice(shown);
  signalProcess(gateway.pids().supervisor, 'SIGHUP');
  await waitFor(() => /nothing was changed, the gateway runs on as it was\.\n|applied: revision|nothing in it has changed/.test(said()), {
    what: 'the outcome of the reload',
    timeoutMs: 60_000,
  });
  const told = () => jsonLines(controlLog().slice(logged));
  const count = Number(/(\d+) problems?: nothing was changed/.exec(said())?.[1] ?? 0);
  await waitFor(() => told().filter(({ msg }) => String(msg).startsWith('reload refused: ')).length >= count, { what: 'the log to have it' });
  return { terminal: said(), logged: told() };
}

describe('SIGHUP', () => {
  it.each(BROKEN_CONFIGS)('$name: reported on the terminal and in the log, and nothing is changed', async (broken) => {
    const before = { pids: gateway.pids(), revision: revision(), answers: await answers() };
    put(gateway.configFile, broken.text(ground));
    const { terminal, logged } = await hangUp().finally(() => put(gateway.configFile, ground.goodText));
    const problems = logged.flatMap(({ msg, path, remedy }) =>
      typeof msg === 'string' && msg.startsWith('reload refused: ')
        ? [{ path: String(path), message: msg.slice('reload refused: '.length), remedy: String(remedy) }]
        : [],
    );
    expectProblems(problems, broken);
    for (const { message, remedy } of problems) for (const words of [message, remedy]) expect(terminal).toContain(words);
    expect(terminal).toMatch(/ problems?: nothing was changed/);
    expect(terminal).not.toMatch(PLANTED_SECRETS);
    expect({ pids: gateway.pids(), revision: revision(), answers: await answers() }).toEqual(before);
  });

  it('and each is in the ledger, with the revision that stayed', async () => {
    const records = jsonLines(await gateway.lictorOk('audit', '--action', 'config.reload', '--json'));
    expect(records).toHaveLength(BROKEN_CONFIGS.length);
    for (const record of records) expect(record).toMatchObject({ decision: 'deny', reason: 'config-refused', revision: records[0]?.['revision'] });
  });
});

describe('a password with characters that mean something to nginx, YAML and shells', () => {
  const hard = 'gateway:p$w0rd $host ${HOME} "x"; } \\ {# \'y\' %41 ä€';

  it('arrives at Prefect as it is, by check and by SIGHUP', async () => {
    const file = join(ground.spare, 'hard');
    writeFileSync(file, `${hard}\n`, { mode: 0o600 });
    put(gateway.configFile, stringify({ ...ground.good, prefect: { url: recorder.url, auth_string_file: file } }));
    expect(await check(gateway.configFile)).toEqual({ status: 0, output: '' });
    const former = gateway.pids().workers;
    expect((await hangUp()).terminal).toContain('applied: revision');
    // Former ones know the former password, and answer for a while.
    await workersAfter(former, gateway.pids);
    const expected = `Basic ${Buffer.from(hard, 'utf8').toString('base64')}`;
    await waitFor(
      async () => {
        recorder.clear();
        await answers();
        return recorder.seen().at(-1)?.headers['authorization'] === expected;
      },
      { what: 'the new password at Prefect', timeoutMs: 60_000 },
    );
    // The mediated way has its own client.
    recorder.clear();
    const admin = (await gateway.token('operator', ['deployer'])).secret;
    await gateway.fetch('/api/flow_runs/filter', { method: 'POST', token: admin, headers: { 'content-type': 'application/json' }, body: '{}' });
    await gateway.fetch('/api/variables/', { method: 'POST', token: admin, headers: { 'content-type': 'application/json' }, body: '{"name":"a","value":"b"}' });
    expect(recorder.seen().length).toBeGreaterThan(1);
    for (const { headers } of recorder.seen()) expect(headers['authorization']).toBe(expected);
    put(gateway.configFile, ground.goodText);
  });
});
