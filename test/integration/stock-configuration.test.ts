// A deployer's stock command line writes configuration through the gateway: what its bodies mean is what is decided and recorded.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { field, list, sharedPrefect, text } from '../env/prefect.ts';
import { openSession, prefectOk, type StockSession } from './stock/session.ts';

const prefect = sharedPrefect();
let gateway: Gateway;
let session: StockSession;
let deployment: string;

beforeAll(async () => {
  gateway = await startGateway({ upstream: prefect });
  const secret = (await gateway.token('deployer', ['deployer'])).secret;
  session = openSession(prefect, { venv: prefect.venv, url: gateway.url, credential: { carrier: 'auth-string', token: secret } }, 'configuration');
  deployment = `mapped/${session.pool}`;
});
afterAll(async () => {
  await session?.client.stop();
  await gateway?.close();
});

/** The actions that were allowed since the gateway began. */
async function actionsSeen(): Promise<Set<string>> {
  const records = jsonLines(await gateway.lictorOk('audit', '--json'));
  return new Set(records.filter((record) => record['decision'] === 'allow').map((record) => String(record['action'])));
}

const automations = async () => list(await session.server.post('/automations/filter', {})).filter((each) => JSON.stringify(each).includes(session.pool));
const deployed = async () => session.server.get(`/deployments/name/mapped/${session.pool}`);

describe('a deployer, with the stock command line', () => {
  it('creates a work pool, gives it another job template, pauses and resumes it, and a queue of it', async () => {
    await prefectOk(session, 'work-pool', 'create', session.pool, '--type', 'process');
    const template = field(await session.server.get(`/work_pools/${session.pool}`), 'base_job_template');
    const file = join(session.client.project, 'template.json');
    writeFileSync(file, JSON.stringify({ ...Object(template), x: 1 }));
    await prefectOk(session, 'work-pool', 'update', session.pool, '--base-job-template', file);
    expect(field(await session.server.get(`/work_pools/${session.pool}`), 'base_job_template')).toMatchObject({ x: 1 });
    await prefectOk(session, 'work-pool', 'pause', session.pool);
    expect(field(await session.server.get(`/work_pools/${session.pool}`), 'is_paused')).toBe(true);
    await prefectOk(session, 'work-pool', 'resume', session.pool);
    await prefectOk(session, 'work-queue', 'create', 'urgent', '--pool', session.pool, '--priority', '1');
    await prefectOk(session, 'work-queue', 'pause', 'urgent', '--pool', session.pool);
    expect(field(await session.server.get(`/work_pools/${session.pool}/queues/urgent`), 'is_paused')).toBe(true);
    const seen = await actionsSeen();
    for (const action of ['work_pools.write', 'work_pools.pause', 'work_queues.write', 'work_queues.pause']) expect(seen).toContain(action);
  });

  it('deploys with a schedule and a trigger, twice', async () => {
    writeFileSync(join(session.client.project, 'prefect.yaml'), prefectYaml(session.pool));
    for (const _ of [1, 2]) {
      await prefectOk(session, '--no-prompt', 'deploy', '--name', session.pool);
      const [automation, ...others] = await automations();
      expect(others).toEqual([]);
      expect(field(automation, 'actions')).toMatchObject([{ type: 'run-deployment', deployment_id: field(await deployed(), 'id'), parameters: { count: 2 } }]);
      expect(field(await deployed(), 'schedules')).toHaveLength(1);
    }
  });

  it('adds, pauses, resumes and clears schedules; pauses the automation', async () => {
    await prefectOk(session, 'deployment', 'schedule', 'create', deployment, '--cron', '0 5 * * *');
    const schedule = text(field(list(field(await deployed(), 'schedules'))[0], 'id'));
    await prefectOk(session, 'deployment', 'schedule', 'pause', deployment, schedule);
    await prefectOk(session, 'deployment', 'schedule', 'resume', deployment, schedule);
    await prefectOk(session, 'deployment', 'schedule', 'clear', deployment, '-y');
    expect(field(await deployed(), 'schedules')).toEqual([]);
    const automation = (await automations())[0];
    await prefectOk(session, 'automation', 'pause', '--id', text(field(automation, 'id')));
    expect(field((await automations())[0], 'enabled')).toBe(false);
    await prefectOk(session, 'automation', 'delete', '--id', text(field(automation, 'id')));
    expect(await automations()).toEqual([]);
    const seen = await actionsSeen();
    for (const action of ['deployments.pause', 'deployments.schedule.write', 'automations.write', 'automations.toggle', 'automations.delete']) {
      expect(seen).toContain(action);
    }
  });

  it('writes variables, limits and block types', async () => {
    const name = session.pool.replaceAll('-', '_');
    await prefectOk(session, 'variable', 'set', name, 'one');
    await prefectOk(session, 'variable', 'set', name, 'two', '--overwrite');
    expect(field(await session.server.get(`/variables/name/${name}`), 'value')).toBe('two');
    await prefectOk(session, 'gcl', 'create', session.pool, '--limit', '3');
    await prefectOk(session, 'gcl', 'update', session.pool, '--limit', '5');
    expect(field(await session.server.get(`/v2/concurrency_limits/${session.pool}`), 'limit')).toBe(5);
    await prefectOk(session, '--no-prompt', 'gcl', 'delete', session.pool);
    await prefectOk(session, 'concurrency-limit', 'create', session.pool, '2');
    await prefectOk(session, 'concurrency-limit', 'reset', session.pool);
    await prefectOk(session, 'block', 'register', '-m', 'prefect.blocks.system');
    expect(await prefectOk(session, 'block', 'create', 'secret')).toContain('secret');
  });
});

describe('what a deployer may not', () => {
  const post = async (path: string, body: unknown) => {
    const token = (await gateway.token(`d-${Math.random().toString(36).slice(2)}`, ['deployer'])).secret;
    return gateway.fetch(path, { method: 'POST', token, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  };

  it('AU-01: an automation that calls a webhook', async () => {
    const trigger = { type: 'event', posture: 'Reactive', expect: ['x'], threshold: 1, within: 0 };
    const actions = [{ type: 'call-webhook', block_document_id: '11111111-1111-4111-8111-111111111111', payload: '' }];
    const answer = await post('/api/automations/', { name: session.pool, trigger, actions });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: 'automation-exceeds-rights', detail: expect.stringContaining('automations.write.unbounded') });
    expect(await automations()).toEqual([]);
  });

  it('AU-01: a webhook block with a private address', async () => {
    const type = await session.server.get('/block_types/slug/webhook');
    const schema = list(await session.server.post('/block_schemas/filter', { block_schemas: { block_type_id: { any_: [field(type, 'id')] } } }))[0];
    const body = { name: session.pool, block_type_id: field(type, 'id'), block_schema_id: field(schema, 'id'), data: { url: 'http://127.0.0.1:4200/api/' } };
    const answer = await post('/api/block_documents/', body);
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: 'block-called-by-server' });
  });
});

function prefectYaml(pool: string): string {
  return `
deployments:
  - name: ${pool}
    entrypoint: stock.py:mapped
    work_pool: { name: ${pool}, job_variables: { env: { A: "1" } } }
    schedules: [ { cron: "0 4 * * *", parameters: { count: 1 }, active: true } ]
    triggers:
      - { name: "${pool} trigger", type: event, enabled: true, expect: [ "no.such.event" ], parameters: { count: 2 } }
pull:
  - prefect.deployments.steps.set_working_directory: { directory: . }
`;
}
