// Requests that wait for a person, with a real Prefect: an agent's run, and four eyes for a person.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Session } from '../env/browser-session.ts';
import { startBrowser, type TestBrowser } from '../env/chromium.ts';
import { type Account, type Gateway, startGateway } from '../env/gateway.ts';
import { directTo, field, list, sharedPrefect, text } from '../env/prefect.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
const mark = `approvals-${Date.now().toString(36)}`;

const AGENTS = ['copilot', 'other'].map((name) => ({ name, sponsor: 'user:alice@local', credential: 'token', roles: [{ role: 'agent' }], taint: 'allow' }));
const RULES = [
  { name: 'agent-runs', principals: ['agent:*'], actions: ['deployments.run'], approvers: 'sponsor' },
  { name: 'deletes', principals: ['*@local'], actions: ['deployments.delete'], approvers: ['user:bob@local', 'user:alice@local'] },
];

let gateway: Gateway;
let browser: TestBrowser;
let alice: Account;
let bob: Account;
const tokens: Record<string, string> = {};
let deployment: string;

beforeAll(async () => {
  const identity_providers = [{ id: 'local', type: 'accounts' }];
  [gateway, browser] = await Promise.all([
    startGateway({ upstream: prefect, config: { identity_providers, agents: AGENTS, approvals: RULES } }),
    startBrowser(),
  ]);
  [alice, bob] = [await gateway.account('alice', 'admin'), await gateway.account('bob', 'viewer')];
  for (const name of ['copilot', 'other']) tokens[name] = (await gateway.token(name, [])).secret;
  deployment = await aDeployment();
});
afterAll(async () => {
  await browser?.close();
  await gateway?.close();
});

async function aDeployment(): Promise<string> {
  const flow = text(field(await server.post('/flows/', { name: `${mark}-flow` }), 'id'));
  const body = { name: `nightly-${Math.random()}`, flow_id: flow, enforce_parameter_schema: false };
  return text(field(await server.post('/deployments/', body), 'id'));
}

function send(agent: string, name: string, parameters: object = {}): Promise<Response> {
  return gateway.fetch(`/api/deployments/${deployment}/create_flow_run`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens[agent]}` },
    body: JSON.stringify({ name: `${mark}-${name}`, parameters }),
  });
}

async function codeOf(answer: Promise<Response>): Promise<unknown> {
  return field(await (await answer).json(), 'code');
}

/** The id of the approval that the request waits for. */
async function held(answer: Promise<Response>): Promise<string> {
  const body: unknown = await (await answer).json();
  expect(body).toMatchObject({ code: 'approval-required', approval_url: `${gateway.url}/.lictor/approvals/${field(body, 'approval_id')}` });
  return text(field(body, 'approval_id'));
}

async function runsOf(name: string): Promise<number> {
  return list(await server.post('/flow_runs/filter', { flow_runs: { name: { any_: [`${mark}-${name}`] } } })).length;
}

/** Sends the form of the page, as a browser does. */
async function decide(session: Session, id: string, decision: 'approve' | 'deny' = 'approve'): Promise<number> {
  const path = `/.lictor/approvals/${id}`;
  const page = await (await gateway.fetch(path, { session, headers: { accept: 'text/html' } })).text();
  const proof = /name="proof" value="([^"]*)"/.exec(page)?.[1] ?? '';
  const headers = { origin: new URL(gateway.url).origin, accept: 'text/html' };
  return (await gateway.fetch(path, { method: 'POST', session, headers, body: new URLSearchParams({ proof, decision, reason: '' }) })).status;
}

describe('a run of an agent', () => {
  it('waits, is approved by its sponsor in the browser, and runs once of 20 attempts at once', async () => {
    const id = await held(send('copilot', 'once', { region: 'eu', password: 'hunter2' }));
    expect(await runsOf('once')).toBe(0);
    const page = await (await browser.person()).newPage();
    await page.goto(`${gateway.url}/.lictor/approvals/${id}`);
    await page.fill('#username', alice.name);
    await page.fill('#password', alice.password);
    await page.click('button');
    await page.waitForSelector('.arguments');
    const words = await page.textContent('main');
    for (const shown of ['agent:copilot for alice@local', 'start runs of deployments', `${mark}-flow/nightly`, '"region": "eu"'])
      expect(words).toContain(shown);
    expect(words).not.toContain('hunter2');
    await browser.shoot(page, 'approval');
    await page.click('button[value=approve]');
    await page.waitForSelector('h1:has-text("Approved")');
    await page.goto(`${gateway.url}/.lictor/approvals`);
    await browser.shoot(page, 'approvals');
    const attempts = await Promise.all(Array.from({ length: 20 }, () => send('copilot', 'once', { region: 'eu', password: 'hunter2' })));
    expect(attempts.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 403)]);
    const refused = await Promise.all(attempts.filter(({ status }) => status === 403).map((answer) => answer.json()));
    expect(new Set(refused.map((body) => field(body, 'code')))).toEqual(new Set(['approval-used']));
    expect(await runsOf('once')).toBe(1);
    const records = (await gateway.lictorOk('audit', '--json', '--since', '1h'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const about = records.filter(({ approval_id }) => approval_id === id);
    expect(new Set(about.map(({ action, reason }) => `${action} ${reason}`))).toEqual(
      new Set(['deployments.run approval-required', 'approval.approve null', 'deployments.run policy-permits', 'deployments.run approval-used']),
    );
  });

  it('does not run with a changed argument, for another agent, or when it was denied', async () => {
    const session = await gateway.login(alice);
    expect(await decide(session, await held(send('copilot', 'changed', { region: 'eu' })))).toBe(200);
    await held(send('copilot', 'changed', { region: 'us' }));
    await held(send('other', 'changed', { region: 'eu' }));
    expect(await decide(session, await held(send('copilot', 'denied')), 'deny')).toBe(200);
    expect(await codeOf(send('copilot', 'denied'))).toBe('approval-denied');
    expect([await runsOf('changed'), await runsOf('denied')]).toEqual([0, 0]);
    expect((await send('copilot', 'changed', { region: 'eu' })).status).toBe(201);
  });

  it('is approved by no agent and no other person', async () => {
    const id = await held(send('copilot', 'foreign'));
    for (const token of Object.values(tokens)) {
      const answer = await gateway.fetch(`/.lictor/approvals/${id}`, { method: 'POST', token, body: new URLSearchParams({ decision: 'approve' }) });
      expect([401, 403]).toContain(answer.status);
    }
    expect(await decide(await gateway.login(bob), id)).toBe(404);
    expect(await codeOf(send('copilot', 'foreign'))).toBe('approval-required');
    expect(await runsOf('foreign')).toBe(0);
  });

  it('is approved on the machine, and its approval holds over a restart of the gateway', async () => {
    const id = await held(send('copilot', 'machine'));
    expect(await gateway.lictorOk('approvals', '--json')).toContain(id);
    await gateway.lictorOk('approve', id, '--reason', 'checked');
    await gateway.stop();
    await gateway.up();
    const answer = await send('copilot', 'machine');
    expect(answer.status, await answer.text()).toBe(201);
    expect(await codeOf(send('copilot', 'machine'))).toBe('approval-used');
    expect(await runsOf('machine')).toBe(1);
  });
});

describe('under four eyes', () => {
  const remove = (session: Session, id: string) =>
    gateway.fetch(`/api/deployments/${id}`, { method: 'DELETE', session, headers: { origin: new URL(gateway.url).origin } });

  it('a person deletes a deployment after another person has approved it, and never alone', async () => {
    const doomed = await aDeployment();
    const mine = await gateway.login(alice);
    const id = await held(remove(mine, doomed));
    expect(await decide(mine, id)).toBe(403);
    expect((await server.get(`/deployments/${doomed}`)) !== undefined).toBe(true);
    expect(await codeOf(remove(mine, doomed))).toBe('approval-required');
    expect(await decide(await gateway.login(bob), id)).toBe(200);
    expect((await remove(mine, doomed)).status).toBe(204);
  });
});
