// Observe mode before a real Prefect: a day of three teams and twelve kinds of client is answered whole; the proposal and `lictor enforce` change no
// legitimate answer, and deny exactly what is foreign.
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { GITHUB } from '../../src/identity/authn/jwt/shapes.fixture.ts';
import { stockClient } from '../env/client.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { type Issuer, startIssuer } from '../env/issuer.ts';
import { directTo, field, sharedPrefect, text } from '../env/prefect.ts';
import { signalProcess, waitFor } from '../env/process.ts';
import { authFrame, openSocket } from '../env/socket.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
const mark = `ob${Date.now().toString(36)}`;
const SHARED = `Basic ${Buffer.from(prefect.authString).toString('base64')}`;

/** The jobs of one repository, as a member of a role. */
const JOBS = 'claim:repository=acme/etl@ci';

interface Team {
  readonly tag: string;
  readonly pool: string;
  readonly deployment: string;
  readonly run: string;
  secret: string;
}

interface Request {
  /** The kind of client, as its user agent. */
  readonly kind: string;
  readonly secret: () => string | null;
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly body?: unknown;
  readonly foreign?: true;
}

let gateway: Gateway;
let issuer: Issuer;
/** Of a job of GitHub Actions. */
let job: string;
let teams: Record<'a' | 'b' | 'c', Team>;
/** Instead of the shared password, once the worker has one. */
let worker: string | null = null;
let day: readonly Request[];

beforeAll(async () => {
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(makeTeam));
  if (a === undefined || b === undefined || c === undefined) throw new Error('a team is missing');
  teams = { a, b, c };
  issuer = await startIssuer();
  job = await issuer.token({ ...GITHUB, exp: Math.floor(Date.now() / 1000) + 3600 });
  gateway = await startGateway({
    upstream: prefect,
    config: {
      mode: 'observe',
      identity_providers: [{ id: 'ci', type: 'jwt', issuer: issuer.issuer, audience: 'lictor', require: { ref: 'refs/heads/main' } }],
      roles: [{ role: 'viewer', members: [JOBS], scope: { tags: [b.tag] } }],
    },
  });
  // Team a still lacks the role to start its runs.
  for (const [team, role] of [
    [a, 'viewer'],
    [b, 'deployer'],
    [c, 'viewer'],
  ] as const)
    team.secret = (await gateway.token(team.tag, [role], '--scope', `tag=${team.tag}`)).secret;
  day = requests(teams);
});
afterAll(async () => {
  await gateway?.close();
  await issuer?.close();
});

async function makeTeam(name: string): Promise<Team> {
  const [tag, pool] = [`${mark}-${name}`, `${mark}-pool-${name}`];
  const id = async (path: string, body: unknown) => text(field(await server.post(path, body), 'id'));
  await server.post('/work_pools/', { name: pool, type: 'process' });
  const flow = await id('/flows/', { name: `${mark}-flow-${name}` });
  const deployment = await id('/deployments/', { name: 'nightly', flow_id: flow, tags: [tag], work_pool_name: pool });
  return { tag, pool, deployment, run: await id(`/deployments/${deployment}/create_flow_run`, {}), secret: '' };
}

function requests({ a, b, c }: typeof teams): readonly Request[] {
  const of = (team: Team) => () => team.secret;
  const post = { method: 'POST' } as const;
  const get = { method: 'GET' } as const;
  return [
    { kind: 'browser', secret: of(a), ...post, path: '/api/flow_runs/filter', body: {} },
    { kind: 'prefect-cli', secret: of(a), ...post, path: `/api/deployments/${a.deployment}/create_flow_run`, body: {} },
    { kind: 'scheduler-script', secret: of(a), ...get, path: `/api/deployments/${a.deployment}` },
    { kind: 'ci', secret: of(b), method: 'PATCH', path: `/api/deployments/${b.deployment}`, body: { description: 'from ci' } },
    { kind: 'github-actions', secret: () => job, method: 'PATCH', path: `/api/deployments/${b.deployment}`, body: { description: 'from a job' } },
    { kind: 'terraform', secret: of(b), ...get, path: `/api/deployments/${b.deployment}` },
    { kind: 'chat-bot', secret: of(b), ...post, path: `/api/deployments/${b.deployment}/create_flow_run`, body: {} },
    { kind: 'exporter', secret: of(c), ...post, path: '/api/flow_runs/count', body: {} },
    { kind: 'notebook', secret: of(c), ...get, path: `/api/flow_runs/${c.run}` },
    { kind: 'worker', secret: () => worker, ...post, path: `/api/work_pools/${c.pool}/get_scheduled_flow_runs`, body: {} },
    { kind: 'heartbeat', secret: () => worker, ...post, path: `/api/work_pools/${c.pool}/workers/heartbeat`, body: { name: 'w' } },
    { kind: 'curl', secret: () => worker, ...get, path: `/api/work_pools/${c.pool}` },
    { kind: 'prefect-cli', secret: of(a), ...post, path: `/api/deployments/${b.deployment}/create_flow_run`, body: {}, foreign: true },
    { kind: 'notebook', secret: of(c), ...get, path: `/api/flow_runs/${a.run}`, foreign: true },
    { kind: 'github-actions', secret: () => job, method: 'PATCH', path: `/api/deployments/${c.deployment}`, body: { description: 'x' }, foreign: true },
  ];
}

async function answers(): Promise<readonly { readonly request: Request; readonly status: number; readonly wouldDeny: string | null }[]> {
  const all = [];
  for (const request of day) {
    const secret = request.secret();
    const response = await gateway.fetch(request.path, {
      method: request.method,
      headers: {
        'user-agent': request.kind,
        ...(request.body !== undefined && { 'content-type': 'application/json' }),
        ...(secret === null && { authorization: SHARED }),
      },
      ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
      ...(secret !== null && { token: secret }),
    });
    await response.arrayBuffer();
    all.push({ request, status: response.status, wouldDeny: response.headers.get('x-lictor-would-deny') });
  }
  return all;
}

describe('a day in observe mode', () => {
  it('refuses nothing, and says in a header what enforcement would deny', async () => {
    expect(new Set(day.map(({ kind }) => kind)).size).toBe(12);
    const all = await answers();
    expect(all.filter(({ status }) => status >= 400)).toEqual([]);
    expect(all.filter(({ request }) => request.foreign).map(({ wouldDeny }) => wouldDeny)).toEqual(['object-foreign', 'object-foreign', 'object-foreign']);
    expect(all.filter(({ request }) => request.secret() === null).map(({ wouldDeny }) => wouldDeny)).toEqual(Array(3).fill('shared-password'));
    expect(all.find(({ request }) => request.kind === 'terraform')?.wouldDeny).toBe(null);
  });

  it('lets a stock client and its event socket through with the shared password', async () => {
    const client = stockClient({ venv: prefect.venv, url: gateway.url, credential: { carrier: 'auth-string', token: prefect.authString } });
    expect(await client.prefect(['work-pool', 'inspect', teams.c.pool])).toMatchObject({ code: 0 });
    const socket = openSocket(gateway.url, '/api/events/in', { first: authFrame(prefect.authString) });
    await waitFor(async () => socket.frames().some((frame) => frame.includes('auth_success')), { what: 'the socket to be accepted' });
    socket.close();
    await client.stop();
  });

  it('twin: opens nothing that the shared password did not', async () => {
    const status = async (path: string, headers: Record<string, string>) => (await gateway.fetch(path, { headers })).status;
    const wrong = `Basic ${Buffer.from('prefect:wrong').toString('base64')}`;
    const pool = `/api/work_pools/${teams.c.pool}`;
    expect([await status(pool, {}), await status(pool, { authorization: wrong }), await status(pool, { 'x-lictor-token': 'lct_unknown' })]).toEqual([
      401, 401, 401,
    ]);
    expect([await status('/api/nothing', { authorization: SHARED }), await status('/api//flows', { authorization: SHARED })]).toEqual([403, 400]);
    expect([await status('/.lictor/api/v1/audit', { authorization: SHARED }), await status('/.lictor/svc/x/y', { authorization: SHARED })]).toEqual([401, 401]);
    expect((await gateway.fetch('/.lictor/api/v1/audit', { token: teams.a.secret })).status).toBe(403);
  });
});

it('the report proposes what fits, and enforcement then denies exactly what is foreign', async () => {
  const lines = jsonLines(await gateway.lictorOk('audit', '--since', '1h', '--json'));
  expect(lines.filter(({ mode, decision }) => mode === 'observe' && decision === 'deny').length).toBeGreaterThan(5);
  await gateway.lictor('doctor');
  const doctors = jsonLines(await gateway.lictorOk('audit', '--action', 'doctor.requests', '--json'));
  const report = await gateway.lictorOk('observe', 'report');
  const proposals = report.split('\n').filter((line) => line.startsWith('  - { role:'));
  const proposed: unknown = parse(proposals.join('\n'));
  expect(proposed).toEqual([
    { role: 'operator', members: [`token:${teams.a.tag}`], scope: { tags: [teams.a.tag] } },
    { role: 'deployer', members: [JOBS], scope: { tags: [teams.b.tag] } },
  ]);
  expect(doctors).toHaveLength(1);
  const bare = jsonLines(await gateway.lictorOk('audit', '--reason', 'credential-missing', '--json')).filter(({ user_agent: program }) => program === null);
  expect([bare.length > 5, / - +credential-missing/.test(report)]).toEqual([true, false]);
  expect(report).toMatch(/lictor token create NAME --role worker/);
  worker = (await gateway.token(`${mark}-worker`, ['worker'])).secret;
  writeFileSync(gateway.configFile, stringify({ ...parse(readFileSync(gateway.configFile, 'utf8')), roles: proposed }));
  signalProcess(gateway.pids().supervisor, 'SIGHUP');
  await waitFor(async () => (await gateway.lictorOk('audit', '--action', 'config.reload', '--json')).includes('config-applied'), {
    what: 'the reload',
    timeoutMs: 60_000,
  });
  for (const { tag } of Object.values(teams)) await gateway.lictorOk('enforce', `token:${tag}`);
  await gateway.lictorOk('enforce', JOBS);
  await gateway.lictorOk('enforce', 'worker');
  await gateway.lictorOk('enforce', 'shared-password');
  const all = await answers();
  expect(all.filter(({ request, status }) => status >= 400 !== (request.foreign === true))).toEqual([]);
  expect((await gateway.fetch(`/api/work_pools/${teams.c.pool}`, { headers: { authorization: SHARED } })).status).toBe(401);
});
