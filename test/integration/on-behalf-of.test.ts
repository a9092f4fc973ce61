// Agents and workloads that act for another principal, through real nginx to a real Prefect: the rights of both, on lists, objects and runs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docsBlock } from '../env/docs.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { type Issuer, startIssuer } from '../env/issuer.ts';
import { directTo, field, sharedPrefect, text } from '../env/prefect.ts';
import { type Running, run } from '../env/process.ts';
import { makeTeams, scopeArguments, type Team } from '../env/teams.ts';
import { openSession, preparePool, type StockSession, startWorker } from './stock/session.ts';

const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const ACCESS = 'urn:ietf:params:oauth:token-type:access_token';
const prefect = sharedPrefect();
const server = directTo(prefect);
let issuer: Issuer;
let gateway: Gateway;
let a: Team;
let b: Team;
/** Service tokens: with a role on everything, on one team, on both. */
let tokens: Readonly<Record<'whole' | 'ofA' | 'ofB' | 'ofBoth' | 'reader' | 'etl', string>>;

beforeAll(async () => {
  issuer = await startIssuer();
  ({ a, b } = await makeTeams(server));
  const ofTeam = ({ mark, tag, pool }: Team) => {
    const named = Object.fromEntries(['variables', 'blocks', 'automations', 'concurrency_limits'].map((key) => [key, [`${mark}*`]]));
    return { tags: [tag], work_pools: [pool], ...named };
  };
  gateway = await startGateway({
    upstream: prefect,
    config: {
      identity_providers: [{ id: 'ci', type: 'jwt', issuer: issuer.issuer, audience: 'lictor' }],
      roles: [
        { role: 'operator', members: ['user:alice@ci'], scope: ofTeam(a) },
        { role: 'operator', members: ['user:bob@ci', 'user:job@ci', 'user:four@ci'] },
        { role: 'viewer', members: ['user:vera@ci'] },
      ],
      limits: [{ for: '*', rate: '5000/s', burst: 10000 }],
    },
  });
  const bothTeams = ['--scope', `tag=${a.tag}`, '--scope', `tag=${b.tag}`];
  tokens = {
    whole: (await gateway.token('whole', ['operator'])).secret,
    ofA: (await gateway.token('of-a', ['operator'], ...scopeArguments(a))).secret,
    ofB: (await gateway.token('of-b', ['operator'], ...scopeArguments(b))).secret,
    ofBoth: (await gateway.token('of-both', ['operator'], ...bothTeams)).secret,
    reader: (await gateway.token('reader', ['viewer'])).secret,
    etl: (await gateway.token('etl', ['deployer', 'worker'])).secret,
  };
}, 400_000);
afterAll(async () => {
  await gateway?.close();
  await issuer?.close();
});

const proofOf = (sub: string) => issuer.token({ aud: 'lictor', sub, jti: `${sub}-${Math.random()}` });

async function exchange(subject: string, actor: string): Promise<{ readonly status: number; readonly answer: unknown }> {
  const typeOf = (token: string) => (token.startsWith('lc') ? ACCESS : JWT);
  const body = new URLSearchParams({
    ...{ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: subject, subject_token_type: typeOf(subject) },
    ...{ actor_token: actor, actor_token_type: typeOf(actor) },
  });
  const response = await gateway.fetch('/.lictor/oauth/token', { method: 'POST', body });
  return { status: response.status, answer: await response.json() };
}

async function tokenFor(subject: string, actor: string): Promise<string> {
  const { status, answer } = await exchange(subject, actor);
  expect(status, JSON.stringify(answer)).toBe(200);
  return text(field(answer, 'access_token'));
}

async function post(token: string, path: string, body: unknown = {}): Promise<{ readonly status: number; readonly text: string }> {
  const init = { method: 'POST', token, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await gateway.fetch(`/api${path}`, init);
  return { status: response.status, text: await response.text() };
}

const statusOf = async (token: string, path: string) => (await gateway.fetch(`/api${path}`, { token })).status;

/** All ids in an answer; of a count, the number. Lateness and estimates change with time. */
function namedIn(answer: string): readonly string[] {
  const ids = answer.match(/[0-9a-f]{8}-[-0-9a-f]{27}/g);
  return ids === null ? [answer] : [...new Set(ids)].toSorted();
}

it('the command of docs/how-to/on-behalf-of.md answers as the page shows', async () => {
  const page = 'how-to/on-behalf-of.md';
  const dir = mkdtempSync(join(tmpdir(), 'lictor-test-on-behalf-'));
  writeFileSync(join(dir, 'alice.jwt'), await proofOf('alice'));
  writeFileSync(join(dir, 'copilot.token'), tokens.whole);
  const script = docsBlock(page, 'curl -sS').replace('https://prefect.example.com', gateway.url);
  const { output } = await run({ name: 'curl', command: 'sh', args: ['-ec', script], cwd: dir, env: { PATH: process.env['PATH'] } });
  rmSync(dir, { recursive: true });
  const like = { access_token: expect.stringMatching(/^lca_/), expires_in: expect.any(Number), sub: 'alice@ci', act: { sub: 'token:whole' } };
  expect(JSON.parse(output)).toEqual({ ...JSON.parse(docsBlock(page, '{"access_token"')), ...like });
});

describe('lists for a chain', () => {
  const LISTS = [
    ...['/flow_runs/filter', '/ui/flow_runs/history', '/task_runs/filter', '/deployments/filter', '/flows/filter', '/logs/filter', '/artifacts/filter'],
    ...['/work_pools/filter', '/work_queues/filter', '/variables/filter', '/block_documents/filter', '/automations/filter'],
    ...['/concurrency_limits/filter', '/v2/concurrency_limits/filter', '/events/filter', '/flow_runs/count', '/deployments/count', '/automations/count'],
  ];

  it.each(LISTS)('%s shows what both see, and nothing of the other team', async (path) => {
    const alice = await proofOf('alice');
    const [own, whole, same, other] = [alice, await tokenFor(alice, tokens.whole), await tokenFor(alice, tokens.ofA), await tokenFor(alice, tokens.ofB)];
    const seen = (await post(own, path)).text;
    expect(seen).not.toContain(b.mark);
    expect(namedIn((await post(whole, path)).text)).toEqual(namedIn(seen));
    expect(namedIn((await post(same, path)).text)).toEqual(namedIn(seen));
    const nothing = (await post(other, path)).text;
    expect(nothing).not.toContain(b.mark);
    expect(nothing).not.toContain(a.mark);
  });

  it('shows the runs of one team to an actor of both', async () => {
    const both = (await post(tokens.ofBoth, '/flow_runs/filter')).text;
    expect([both.includes(a.finishedRun), both.includes(b.finishedRun)]).toEqual([true, true]);
    const { text: seen } = await post(await tokenFor(await proofOf('alice'), tokens.ofBoth), '/flow_runs/filter');
    expect([seen.includes(a.finishedRun), seen.includes(b.finishedRun)]).toEqual([true, false]);
  });

  it('twin: for a person with a role on everything, the actor sees both teams', async () => {
    const { text: seen } = await post(await tokenFor(await proofOf('bob'), tokens.ofBoth), '/flow_runs/filter');
    expect([seen.includes(a.finishedRun), seen.includes(b.finishedRun)]).toEqual([true, true]);
  });
});

describe('an actor for alice', () => {
  it('reads and changes what both may', async () => {
    const token = await tokenFor(await proofOf('alice'), tokens.whole);
    expect([await statusOf(token, `/flow_runs/${a.finishedRun}`), await statusOf(token, `/flow_runs/${b.finishedRun}`)]).toEqual([200, 404]);
    expect([await statusOf(tokens.whole, `/flow_runs/${b.finishedRun}`), await statusOf(token, `/deployments/${b.deployment}`)]).toEqual([200, 404]);
    expect((await post(token, `/deployments/${a.deployment}/create_flow_run`)).status).toBe(201);
    expect((await post(token, `/deployments/${b.deployment}/create_flow_run`)).status).toBe(404);
    const reader = await tokenFor(await proofOf('alice'), tokens.reader);
    const refused = await post(reader, `/deployments/${a.deployment}/create_flow_run`);
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('token:reader (viewer) may not')]);
    const forVera = await post(await tokenFor(await proofOf('vera'), tokens.whole), `/deployments/${a.deployment}/create_flow_run`);
    expect([forVera.status, forVera.text]).toEqual([403, expect.stringContaining('vera@ci (viewer), for whom token:whole acts, may not')]);
  });

  it('ends with the tokens of alice that an administrator revokes, in the caches as well', async () => {
    const token = await tokenFor(await proofOf('alice'), tokens.whole);
    const next = await tokenFor(token, await proofOf('job'));
    expect([await statusOf(token, `/flow_runs/${a.finishedRun}`), await statusOf(next, `/flow_runs/${a.finishedRun}`)]).toEqual([200, 200]);
    expect(await gateway.lictorOk('token', 'list', '--access')).toContain('job@ci for token:whole for alice@ci');
    await gateway.lictorOk('token', 'revoke', 'alice@ci');
    expect([await statusOf(token, `/flow_runs/${a.finishedRun}`), await statusOf(next, `/flow_runs/${a.finishedRun}`)]).toEqual([401, 401]);
  });

  it('ends with the subject token, by its holder', async () => {
    const token = await tokenFor(await proofOf('alice'), tokens.whole);
    const next = await tokenFor(token, await proofOf('job'));
    const body = new URLSearchParams({ token });
    expect((await gateway.fetch('/.lictor/oauth/revoke', { method: 'POST', body })).status).toBe(200);
    expect(await statusOf(next, `/flow_runs/${a.finishedRun}`)).toBe(401);
  });

  it('ends with a lock on alice', async () => {
    const token = await tokenFor(await proofOf('bob'), tokens.whole);
    await gateway.lictorOk('lock', 'bob@ci', '--why', 'a test');
    expect([await statusOf(token, `/flow_runs/${a.finishedRun}`), (await exchange(await proofOf('bob'), tokens.whole)).status]).toEqual([403, 400]);
    await gateway.lictorOk('unlock', 'bob@ci');
    expect((await post(token, '/flow_runs/count')).status).toBe(200);
  });

  it('stands with alice in the record of the exchange, and three actors are the most', async () => {
    const one = await tokenFor(await proofOf('alice'), tokens.whole);
    const two = await tokenFor(one, await proofOf('job'));
    const three = await tokenFor(two, tokens.etl);
    const fourth = await exchange(three, await proofOf('four'));
    expect([fourth.status, fourth.answer]).toMatchObject([400, { error: 'invalid_grant', code: 'actor-chain-long' }]);
    const records = jsonLines(await gateway.lictorOk('audit', '--action', 'token.exchange', '--since', '5m', '--json'));
    expect(records).toContainEqual(expect.objectContaining({ principal: 'token:etl', on_behalf_of: ['job@ci', 'token:whole', 'alice@ci'], decision: 'allow' }));
    expect(records).toContainEqual(expect.objectContaining({ principal: 'four@ci', decision: 'deny', reason: 'actor-chain-long' }));
  });
});

describe('runs of a chain', () => {
  let session: StockSession;
  let worker: Running;
  let deployment: string;
  beforeAll(async () => {
    session = openSession(prefect, { venv: prefect.venv, url: gateway.url, credential: { carrier: 'custom-x-lictor-token', token: tokens.etl } }, 'chain');
    await preparePool(session, 'nested');
    deployment = text(field(await session.server.get(`/deployments/name/nested/${session.pool}`), 'id'));
    worker = await startWorker(session);
  });
  afterAll(() => session?.client.stop());

  it('and their sub-flows name the actor and the subject, and so does the timeline', async () => {
    const created = await post(await tokenFor(await proofOf('bob'), tokens.whole), `/deployments/${deployment}/create_flow_run`);
    const run = text(field(JSON.parse(created.text), 'id'));
    expect(field(await session.server.get(`/flow_runs/${run}`), 'labels')).toMatchObject({
      'lictor.principal': 'token:whole',
      'lictor.on_behalf_of': 'bob@ci',
    });
    expect(await session.server.awaitRunState(run, ['COMPLETED', 'FAILED', 'CRASHED'], 180_000), worker.output()).toBe('COMPLETED');
    const children = await session.server.post('/flow_runs/filter', { flow_runs: { parent_flow_run_id: { any_: [run] } } });
    const labels = Array.isArray(children) ? children.map((child) => field(child, 'labels')) : [];
    expect(labels).toMatchObject([{ 'lictor.principal': `run:${run}`, 'lictor.on_behalf_of': 'token:whole,bob@ci' }]);
    expect(await gateway.lictorOk('timeline', run)).toContain('token:whole for bob@ci');
  });
});
