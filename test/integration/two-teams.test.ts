// docs/tutorials/two-teams.md, command by command, before a real Prefect: each team gets its own slice, and nothing of the other's.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Session } from '../env/browser-session.ts';
import { type StockClient, stockClient } from '../env/client.ts';
import { docsBlock } from '../env/docs.ts';
import { type Gateway, lastJson, runLictor, startGateway } from '../env/gateway.ts';
import { directTo, field, list, sharedPrefect, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { diagnose, linesOf } from './doctor/room.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
const mark = `t${Date.now().toString(36)}`;
const secrets = new Map<string, string>();
const clients: StockClient[] = [];
let gateway: Gateway;
let deployment: string;

/** A block of the page. Its names are this test's own, since other tests use the same Prefect. */
function page(beginning: string): string {
  return docsBlock('tutorials/two-teams.md', beginning)
    .replaceAll(/\b(team|pool)([-_])([ab])(?![a-z])/g, `${mark}$1$2$3`)
    .replaceAll('nightly', `${mark}nightly`)
    .replaceAll('flow.py:etl', 'stock.py:mapped')
    .replaceAll('etl/', 'mapped/');
}

/** The words of each line, without the program and without quotes. */
function commands(beginning: string): readonly (readonly string[])[] {
  const lines = page(beginning).trim().split('\n');
  return lines.map((line) => line.replaceAll("'", '').split(' ').slice(1));
}

const whoReads = (): readonly string[] => commands('lictor access flow_runs.read')[0] ?? [];

async function runLictorBlock(beginning: string): Promise<void> {
  for (const words of commands(beginning)) {
    const isMade = words[1] === 'create' || words[1] === 'add';
    const output = await gateway.lictorOk(...words, ...(isMade ? ['--json'] : []));
    const { secret, password } = isMade ? lastJson(output) : {};
    if (isMade) secrets.set(String(words[2]), String(secret ?? password));
  }
}

function clientOf(name: string): StockClient {
  const client = stockClient({ venv: prefect.venv, url: gateway.url, credential: { carrier: 'auth-string', token: secrets.get(name) ?? '' } });
  clients.push(client);
  return client;
}

const sessions = new Map<string, Promise<Session>>();

function session(name: string): Promise<Session> {
  const opened = sessions.get(name) ?? gateway.login({ name, password: secrets.get(name) ?? '' });
  sessions.set(name, opened);
  return opened;
}

const asPerson = async (name: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly raw: string }> => {
  const json = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await gateway.fetch(path, { session: await session(name), ...json });
  return { status: answer.status, raw: await answer.text() };
};

const spaced = (output: string): readonly string[] => output.split('\n').map((line) => line.replaceAll(/\s+/g, ' ').trim());

beforeAll(async () => {
  const yaml = ({ url, stateDir }: { readonly url: string; readonly stateDir: string }) =>
    page('public_url:')
      .replace('https://prefect.example.com', url)
      .replace(/^tls: .*\n/m, '')
      .replace('http://127.0.0.1:4200', prefect.url)
      .replaceAll('/etc/lictor', stateDir);
  gateway = await startGateway({ upstream: prefect, yaml });
}, 120_000);
afterAll(async () => {
  await Promise.all(clients.map((client) => client.stop()));
  await gateway?.close();
});

describe('the recipe for two teams', () => {
  it('begins with a configuration without a problem, an administrator and two pools', async () => {
    expect(commands('lictor check')).toEqual([['check'], ['up']]);
    expect(await gateway.lictorOk('check')).toContain('no problem');
    await runLictorBlock('lictor account add admin');
    const setup = clientOf('setup');
    const made = await Promise.all(commands('prefect work-pool').map((words) => setup.prefect(words)));
    expect(
      made.map(({ code }) => code),
      made.map(({ output }) => output).join('\n'),
    ).toEqual([0, 0]);
  }, 120_000);

  it('gives each team its people and tokens', async () => {
    await runLictorBlock('lictor account add alice');
    await runLictorBlock('lictor account add bob');
    expect([...secrets.keys()]).toEqual(['admin', 'setup', 'alice', 'ci-a', 'worker-a', 'bob', 'ci-b', 'worker-b']);
  });

  it('team A deploys, alice starts a run, and the worker of the team runs it to its end', async () => {
    const [words = []] = commands('prefect --no-prompt deploy');
    const made = await clientOf('ci-a').prefect(words);
    expect(made.code, made.output).toBe(0);
    const found = list(await server.post('/deployments/filter', { deployments: { name: { any_: [`${mark}nightly`] } } }));
    deployment = text(field(found[0], 'id'));
    const [start = []] = commands('prefect worker start');
    const worker = await clientOf('worker-a').startPrefect(start);
    const started = await asPerson('alice', `/api/deployments/${deployment}/create_flow_run`, {});
    expect(started.status, started.raw).toBe(201);
    const run = text(field(JSON.parse(started.raw), 'id'));
    expect(await server.awaitRunState(run, ['COMPLETED', 'FAILED', 'CRASHED'], 120_000), worker.output()).toBe('COMPLETED');
    await worker.stop();
    expect((await asPerson('alice', `/api/flow_runs/${run}`)).status).toBe(200);
    expect((await asPerson('bob', `/api/flow_runs/${run}`)).status).toBe(404);
  }, 240_000);

  it('team B finds nothing of it, and deploys with its own tag into its own pool alone', async () => {
    expect((await asPerson('bob', `/api/deployments/${deployment}`)).status).toBe(404);
    expect((await asPerson('bob', `/api/deployments/${deployment}/create_flow_run`, {})).status).toBe(404);
    const named = { deployments: { name: { any_: [`${mark}nightly`] } } };
    expect(JSON.parse((await asPerson('bob', '/api/deployments/filter', named)).raw)).toEqual([]);
    expect(JSON.parse((await asPerson('alice', '/api/deployments/filter', named)).raw)).toMatchObject([{ id: deployment }]);
    const pools = async (name: string) => list(JSON.parse((await asPerson(name, '/api/work_pools/filter', {})).raw)).map((pool) => field(pool, 'name'));
    expect([await pools('alice'), await pools('bob')]).toEqual([[`${mark}pool-a`], [`${mark}pool-b`]]);
    const token = secrets.get('ci-a') ?? '';
    const flow = field(await server.get(`/deployments/${deployment}`), 'flow_id');
    const right = { name: `${mark}other`, flow_id: flow, tags: [`${mark}team-a`], work_pool_name: `${mark}pool-a` };
    const deploy = async (change: object) => {
      const init = { method: 'POST', token, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...right, ...change }) };
      const answer = await gateway.fetch('/api/deployments/', init);
      return [answer.status, field(await answer.json(), 'code')];
    };
    expect(await deploy({ tags: [] })).toEqual([403, 'scope-excludes']);
    expect(await deploy({ work_pool_name: `${mark}pool-b` })).toEqual([403, 'scope-excludes']);
    expect(await deploy({})).toEqual([201, undefined]);
  });

  it('access, explain and doctor show the result as the page says', async () => {
    const [one = []] = commands('lictor access deployments.run');
    const shown = spaced(await gateway.lictorOk(...one));
    // The lines of the page, and no other: nobody of team B.
    expect(shown).toEqual(spaced(page('PRINCIPAL  ')));
    expect(shown.join()).toContain('alice@local');
    const all = spaced(await gateway.lictorOk(...whoReads()));
    expect(all.filter((line) => line.includes(' everything ')).map((line) => line.split(' ')[0])).toEqual(['admin@local', 'token:setup']);
    for (const name of ['alice', 'bob']) expect(all.filter((line) => line.startsWith(`${name}@local`))).toHaveLength(2);
    const [explain = []] = commands('lictor explain bob@local');
    const explained = spaced(await gateway.lictorOk(...explain)).join('\n');
    for (const line of spaced(page('deny  bob@local'))) expect(explained).toContain(line);
    await runLictorBlock('lictor account add lena');
    expect(await gateway.lictorOk('explain', 'lena@local', ...explain.slice(2))).toMatch(/^allow/);
    expect(explained).toContain(`work_pool=${mark}pool-a`);
    expect(commands('lictor doctor')).toEqual([['doctor']]);
    // A busy Prefect may not answer in time: doctor is asked again then.
    const isRight = async () => linesOf(await diagnose(gateway), 'upstream', 'guarded-tags').find(({ status }) => status === 'ok');
    const tags = await waitFor(isRight, { what: 'doctor to find every tag in its place', timeoutMs: 90_000 });
    expect(tags?.message).toContain(`${mark}team-a, ${mark}team-b`);
  }, 180_000);

  it('a viewer on everything lets every account read everything, and access shows it', async () => {
    const wide = join(gateway.stateDir, 'wide.yaml');
    const base = readFileSync(gateway.configFile, 'utf8').replace(/^roles:\n(?: .*\n)+/m, '');
    writeFileSync(wide, `${base}${page('roles:\n  - { role: viewer, members: ["*@local"]')}`);
    const { code, output } = await runLictor(whoReads(), { configFile: wide, stateDir: gateway.stateDir });
    expect(code, output).toBe(0);
    for (const name of ['alice', 'bob']) expect(spaced(output)).toContain(`${name}@local viewer everything viewer`);
  });

  it('the roles for groups of a provider, and the examples of docs/reference/scopes.md and docs/reference/roles.md, have no problem', async () => {
    const base = readFileSync(gateway.configFile, 'utf8')
      .replace(/^roles:\n(?: .*\n)+/m, '')
      .replace('id: local, type: accounts', 'id: corp, type: oidc, issuer: "https://idp.example.com", client_id: x, client_secret_file: prefect-auth');
    const inScopes = ['operator', 'viewer'].map((role) => docsBlock('reference/scopes.md', `roles:\n  - { role: ${role}, members: [`));
    const files = { configFile: join(gateway.stateDir, 'groups.yaml'), stateDir: gateway.stateDir };
    for (const roles of [...inScopes, page('roles:\n  - { role: admin,    members: ["group:')]) {
      writeFileSync(files.configFile, `${base}${roles}`);
      const { code, output } = await runLictor(['check'], files);
      expect(code, output).toBe(0);
    }
    const answers: string[] = [];
    for (const words of commands('lictor explain group:')) {
      const [explain] = words.join(' ').split(/ +#/);
      answers.push((await runLictor((explain ?? '').split(' '), files)).output);
    }
    expect(answers.map((output) => output.split(' ')[0])).toEqual(['allow', 'deny', 'allow', 'allow']);
    expect(answers[1]).toContain('object-foreign');
    expect(answers[3]).toContain(`narrowed to tags=${mark}team-b`);
    const lines = [docsBlock('reference/scopes.md', './lictor token create'), docsBlock('reference/roles.md', './lictor account add')]
      .join('')
      .trim()
      .split('\n');
    for (const line of lines) await gateway.lictorOk(...line.split(' ').slice(1), '--json');
  });
});
