// The events of the gateway appear on the page of the run in Prefect: who started it, and rejected requests.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBrowser, type TestBrowser } from '../env/chromium.ts';
import { type Account, type Gateway, startGateway } from '../env/gateway.ts';
import { type Direct, directTo, field, list, sharedPrefect, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';

const prefect = sharedPrefect();
const server: Direct = directTo(prefect);
const NAME = `feed-${Date.now().toString(36)}`;
const JSON_TYPE = { 'content-type': 'application/json' };
let gateway: Gateway;
let browser: TestBrowser;
let alice: Account;
let run: string;

beforeAll(async () => {
  [gateway, browser] = await Promise.all([startGateway({ upstream: prefect, config: { started_by_tag: true } }), startBrowser()]);
  alice = await gateway.account('alice', 'admin');
  const carol = await gateway.account('carol', 'viewer');
  const flow = text(field(await server.post('/flows/', { name: NAME }), 'id'));
  const deployment = text(field(await server.post('/deployments/', { name: NAME, flow_id: flow }), 'id'));
  const session = await gateway.login(alice);
  const tags = ['team-a', 'started-by:mallory@local'];
  const created = await gateway.fetch(`/api/deployments/${deployment}/create_flow_run`, {
    ...{ method: 'POST', session, headers: JSON_TYPE, body: JSON.stringify({ tags, state: { type: 'SCHEDULED' } }) },
  });
  run = text(field(await created.json(), 'id'));
  const viewer = await gateway.login(carol);
  const body = JSON.stringify({ state: { type: 'CANCELLING' } });
  for (let count = 0; count < 5; count++) {
    const refused = await gateway.fetch(`/api/flow_runs/${run}/set_state`, { method: 'POST', session: viewer, headers: JSON_TYPE, body });
    expect(refused.status).toBe(403);
  }
});
afterAll(async () => {
  await browser?.close();
  await gateway?.close();
});

/** The gateway's events of the run, as Prefect has them. */
async function eventsOfRun(): Promise<readonly (readonly [string, string])[]> {
  const filter = { event: { prefix: ['lictor.'] }, any_resource: { id: [`prefect.flow-run.${run}`] }, order: 'ASC' };
  const { events } = (await server.post('/events/filter', { filter, limit: 50 })) as { readonly events: unknown };
  return list(events).map((event) => [text(field(event, 'event')), text(field(field(event, 'resource'), 'prefect.resource.name'))] as const);
}

it('is an event of the run: the start once, and five alike refusals as one', async () => {
  await waitFor(async () => (await eventsOfRun()).length >= 2, { what: 'the events of the gateway', timeoutMs: 120_000 });
  const [start, first, ...more] = await eventsOfRun();
  expect(start).toEqual(['lictor.run.started-by', 'started by alice@local']);
  expect(first).toEqual(['lictor.request.refused', 'refused to carol@local: flow_runs.set_state (policy-default-deny)']);
  // A minute after the first refusal, one event reports the four others. On a slow machine it is there already.
  expect(more.map(([event]) => event)).toEqual(more.length === 0 ? [] : ['lictor.request.refused']);
});

it('is in its feed of events, and on its page with the tag that says who', async () => {
  const context = await browser.person();
  const page = await context.newPage();
  await page.goto(`${gateway.url}/v2/runs/flow-run/${run}`);
  await page.fill('#username', alice.name);
  await page.fill('#password', alice.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('started-by:alice@local').first().waitFor();
  expect(await page.getByText('mallory').count()).toBe(0);
  await browser.shoot(page, 'feed-run');
  // The page asks for what happened until the minute began: an event of the next minute needs the page once more.
  const feed = `${gateway.url}/v2/events?resource=${encodeURIComponent(JSON.stringify([`prefect.flow-run.${run}`]))}`;
  const shows = async (): Promise<boolean> => {
    await page.goto(feed, { waitUntil: 'networkidle' });
    const counts = await Promise.all(['started by alice@local', 'refused to carol@local'].map((shown) => page.getByText(shown).count()));
    return counts.every((count) => count > 0);
  };
  await waitFor(shows, { what: 'the start and a refusal in the feed of events', timeoutMs: 120_000, everyMs: 2000 });
  await browser.shoot(page, 'feed-events');
  await context.close();
});

it('twin: nobody else can say so', async () => {
  const { secret: token } = await gateway.token('forger', ['admin']);
  const forged = {
    ...{ id: crypto.randomUUID(), occurred: new Date().toISOString(), event: 'lictor.run.started-by', payload: {} },
    resource: { 'prefect.resource.id': 'x', 'prefect.resource.name': 'started by mallory@local' },
    related: [{ 'prefect.resource.id': `prefect.flow-run.${run}`, 'prefect.resource.role': 'flow-run' }],
  };
  const answer = await gateway.fetch('/api/events', { method: 'POST', token, headers: JSON_TYPE, body: JSON.stringify([forged]) });
  expect([answer.status, field(await answer.json(), 'code')]).toEqual([403, 'event-reserved']);
  // A minute after the first refusal, one event reports the others: the number of events depends on the duration of the test.
  expect((await eventsOfRun()).filter(([event]) => event === 'lictor.run.started-by')).toEqual([['lictor.run.started-by', 'started by alice@local']]);
});
