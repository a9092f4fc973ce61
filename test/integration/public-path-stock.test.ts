// A real Prefect that serves its UI below a path, behind a gateway with that path: stock client, worker, sockets, paging, ledger, doctor.
// More of the stock client: test/endurance/stock-carriers.test.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { directTo, field, list, text } from '../env/prefect.ts';
import { type PrefectServer, startPrefect } from '../env/prefect-server.ts';
import { waitFor } from '../env/process.ts';
import { shortChecks } from './stock/reduced.ts';
import { openSession } from './stock/session.ts';

const BASE = '/prefect';
const FILTER = { filter: { event: { prefix: ['lictor-test.'] }, occurred: { since: new Date(Date.now() - 60_000).toISOString() } }, limit: 5 };

let prefect: PrefectServer;
let gateway: Gateway;
let secret: string;
beforeAll(async () => {
  prefect = await startPrefect({ uiBase: BASE });
  gateway = await startGateway({ upstream: prefect, basePath: BASE });
  secret = (await gateway.token('stock', ['deployer', 'worker'])).secret;
});
afterAll(async () => {
  await gateway?.close();
  await prefect?.stop();
});

async function json(path: string, body?: unknown): Promise<unknown> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await gateway.fetch(path, { ...init, token: secret });
  expect(response.status, path).toBe(200);
  return response.json();
}

describe('below the path', () => {
  describe('a stock client', () =>
    shortChecks(() => openSession(prefect, { venv: prefect.venv, url: gateway.url, credential: { carrier: 'auth-string', token: secret } }, 'path')));

  it('events are paged by links that stay below it', async () => {
    const occurred = new Date().toISOString();
    const events = Array.from({ length: 12 }, (_, i) => ({
      id: crypto.randomUUID(),
      occurred,
      event: `lictor-test.${i}`,
      resource: { 'prefect.resource.id': `lictor-test.${i}` },
    }));
    await directTo(prefect).post('/events', events);
    await waitFor(async () => field(await directTo(prefect).post('/events/filter', FILTER), 'total') === 12, { what: 'the events', timeoutMs: 60_000 });
    let page = await json('/api/events/filter', FILTER);
    const seen = [list(field(page, 'events')).length];
    for (let next = field(page, 'next_page'); next !== null; next = field(page, 'next_page')) {
      expect(text(next).startsWith(`${gateway.url}/api/events/filter/next?page-token=`), text(next)).toBe(true);
      page = await json(text(next).slice(gateway.url.length));
      seen.push(list(field(page, 'events')).length);
    }
    expect(seen).toEqual([5, 5, 2]);
  });

  it("Prefect's redirects stay below it, direct and mediated", async () => {
    for (const [method, path] of [
      ['POST', '/api/flows'],
      ['POST', '/api/deployments'],
      ['GET', '/v2'],
    ] as const) {
      const body = method === 'POST' ? { body: '{"name":"x","flow_id":"1b4e28ba-2fa1-41d2-883f-0016d3cca427"}' } : {};
      const response = await gateway.fetch(path, { method, token: secret, headers: { 'content-type': 'application/json' }, ...body });
      const location = response.headers.get('location') ?? '';
      expect([path, response.status, location.replace(new URL(gateway.url).origin, '')]).toEqual([path, 307, `${BASE}${path}/`]);
    }
  });

  it('the UI uses the API below it', async () => {
    expect(await json('/ui-settings')).toMatchObject({ api_url: `${BASE}/api`, auth: null, v1_base_url: BASE, v2_base_url: `${BASE}/v2` });
  });

  it('the ledger knows the run by its id', async () => {
    const run = await directTo(prefect).post('/flow_runs/filter', { limit: 1 });
    const id = text(field(list(run)[0], 'id'));
    await json(`/api/flow_runs/${id}`);
    const record = (line: Record<string, unknown>): boolean => line['path'] === `${BASE}/api/flow_runs/${id}` && line['run_binding'] === 'verified';
    await waitFor(async () => jsonLines(await gateway.lictorOk('audit', '--flow-run', id, '--json')).some(record), { what: 'the record', timeoutMs: 60_000 });
  });

  it('nothing is outside it', async () => {
    const { origin } = new URL(gateway.url);
    for (const path of ['/', '/api/health', '/v2/', '/.lictor/health', '/prefectx/api/health'])
      expect([path, (await fetch(`${origin}${path}`, { headers: { authorization: `Bearer ${secret}` } })).status]).toEqual([path, 404]);
  });

  it('check, doctor and explain know the path', async () => {
    await gateway.lictorOk('check');
    const diagnosed = async () => {
      const [found = {}] = jsonLines((await gateway.lictor('doctor', '--json')).output);
      return list(found['findings']).map((finding) => [field(finding, 'status'), field(finding, 'message')]);
    };
    const failing = ([status]: readonly unknown[]): boolean => status === 'fail';
    // On a busy machine a socket may be too late for doctor.
    const findings = await waitFor(
      async () => {
        const found = await diagnosed();
        return found.some(failing) ? undefined : found;
      },
      { what: 'doctor to find everything well', timeoutMs: 90_000 },
    ).catch(diagnosed);
    expect(findings?.filter(failing)).toEqual([]);
    expect(findings).toContainEqual(['ok', `the UI uses the API at ${BASE}/api`]);
    const explained = await gateway.lictorOk('explain', 'token:stock', '--request', `GET ${BASE}/api/flow_runs/1b4e28ba-2fa1-41d2-883f-0016d3cca427`);
    expect(explained).toContain('allow');
  });
});
