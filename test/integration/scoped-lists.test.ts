// Two teams on one server: a principal with the scope of one sees nothing of the other, on any route.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation } from '../../src/contract/operation.ts';
import { OPERATIONS } from '../../src/prefect/catalog/catalogue.ts';
import { fourAtOnce } from '../env/at-once.ts';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { directTo, field, sharedPrefect, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { authFrame, openSocket } from '../env/socket.ts';
import { entangle, eventAbout, makeTeams, scopeArguments, type Team } from '../env/teams.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
const ABSENT = '0b5e0000-0000-4000-8000-00000000ab5e';
let gateway: Gateway;
let a: Team;
let b: Team;
/** Runs of team A that name something of team B. */
let entangled: readonly string[];
let token: string;
let whole: string;

beforeAll(async () => {
  ({ a, b } = await makeTeams(server));
  entangled = await entangle(server, a, b);
  gateway = await startGateway({
    upstream: prefect,
    config: { limits: [{ for: '*', rate: '5000/s', burst: 10000 }] },
  });
  token = (await gateway.token('team-a', ['operator'], ...scopeArguments(a))).secret;
  whole = (await gateway.token('whole', ['operator'])).secret;
});
afterAll(() => gateway?.close());

/** A team that is not there. */
const NOBODY: Team = {
  mark: 'znt0',
  tag: 'znt0-tag',
  pool: 'znt0-pool',
  queue: 'znt0-queue',
  queueId: ABSENT,
  flow: ABSENT,
  flowName: 'znt0-flow',
  deployment: ABSENT,
  deploymentName: 'znt0-deployment',
  scheduledRun: ABSENT,
  finishedRun: ABSENT,
  localRun: ABSENT,
  stateId: ABSENT,
  taskRun: ABSENT,
  artifact: ABSENT,
  artifactKey: 'znt0-artifact',
  variable: ABSENT,
  variableName: 'znt0_variable',
  block: ABSENT,
  blockName: 'znt0-block',
  automation: ABSENT,
  limit: ABSENT,
  limitName: 'znt0-limit',
  tagLimit: ABSENT,
  search: ABSENT,
  secrets: [],
};

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

/** On SQLite Prefect is busy now and then (503): clients ask again, and so does this. */
async function ask({ method, path, body }: Asked): Promise<{ readonly status: number; readonly text: string }> {
  const hasBody = body !== undefined && method !== 'GET' && method !== 'HEAD';
  const init = { method, token, ...(hasBody && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }) };
  for (let attempt = 0; ; attempt += 1) {
    const response = await gateway.fetch(path, init);
    const text = await response.text();
    if (response.status !== 503 || attempt === 5) return { status: response.status, text };
  }
}

/** Everything in the answer about team B that was not in the request. */
function betrayed(asked: Asked, text: string): readonly string[] {
  const said = `${asked.path} ${JSON.stringify(asked.body ?? '')}`;
  const answer = text.toLowerCase();
  return b.secrets.filter((secret) => answer.includes(secret.toLowerCase()) && !said.toLowerCase().includes(secret.toLowerCase()));
}

const READS = OPERATIONS.filter(({ writes, taken, path }) => !writes && taken !== 'relay' && taken !== 'deny' && !path.endsWith('*'));

/** The path with a team's own ids and names. */
function pathFor({ path }: Operation, team: Team): string {
  const values: Readonly<Record<string, string>> = {
    '/flow_runs/{id}': team.finishedRun,
    '/flow_run_states/{id}': team.stateId,
    '/flows/{id}': team.flow,
    '/flows/name/{name}': team.flowName,
    '/deployments/{id}': team.deployment,
    '/name/{flow_name}/{deployment_name}': `${team.flowName}/${team.deploymentName}`,
    '/work_queues/{id}': team.queueId,
    '/work_queues/name/{name}': team.queue,
    '/queues/{name}': team.queue,
    '/work_pools/{name}': team.pool,
    '/work_pools/{work_pool_name}': team.pool,
    '/task_runs/{id}': team.taskRun,
    '/task_run_states/{id}': ABSENT,
    '/artifacts/{id}': team.artifact,
    '/artifacts/{key}': team.artifactKey,
    '/variables/{id}': team.variable,
    '/variables/name/{name}': team.variableName,
    '/block_documents/{id}': team.block,
    '/name/{block_document_name}': team.blockName,
    '/slug/{slug}': 'secret',
    '/automations/{id}': team.automation,
    '/related-to/{resource_id}': `prefect.deployment.${team.deployment}`,
    '/v2/concurrency_limits/{id_or_name}': team.limitName,
    '/concurrency_limits/{id}': team.tagLimit,
    '/tag/{tag}': `${team.mark}-limited`,
    '/saved_searches/{id}': team.search,
    '/views/{view}': 'aggregate-worker-metadata',
    '/count-by/{countable}': 'resource',
    '/input/{key}': 'x',
  };
  let filled = path;
  for (const [template, value] of Object.entries(values)) {
    const from = template.slice(template.indexOf('{'));
    filled = filled.replace(template, template.replace(from, value));
  }
  if (filled.includes('{')) return filled.replaceAll(/\{[^}]+\}/g, ABSENT);
  return filled;
}

function bodiesFor(path: string): readonly unknown[] {
  const since = new Date(Date.now() - 3_600_000).toISOString();
  const until = new Date(Date.now() + 3_600_000).toISOString();
  if (path.endsWith('/dashboard/counts')) return [{ task_runs: { start_time: { after_: since } } }];
  if (path.includes('/history') && !path.includes('/ui/')) return [{ history_start: since, history_end: until, history_interval_seconds: 600 }];
  if (path.endsWith('count-task-runs')) return [{ flow_run_ids: [a.finishedRun, b.finishedRun] }];
  if (path.includes('/ui/flows/')) return [{ flow_ids: [a.flow, b.flow] }];
  return [{}, { limit: 200 }, ...PROBES()];
}

/** A client's own filters that name team B, or would take ours away if they were put in place of each other. */
function PROBES(): readonly unknown[] {
  const every = ['flow_runs', 'deployments', 'flows', 'work_pools', 'work_queues', 'variables', 'block_documents', 'automations', 'task_runs', 'artifacts'];
  const with_ = (filter: unknown) => Object.fromEntries(every.map((key) => [key, filter]));
  return [
    { flow_runs: { tags: { any_: [b.tag] } }, deployments: { tags: { any_: [b.tag] } }, work_pools: { name: { any_: [b.pool] } } },
    { flow_runs: { operator: 'or_', tags: { any_: [b.tag] }, name: { like_: b.mark } } },
    { deployments: { operator: 'or_', tags: { all_: [b.tag] }, name: { like_: b.mark } } },
    { flow_runs: { id: { any_: [b.finishedRun] } }, deployments: { id: { any_: [b.deployment] } }, logs: { flow_run_id: { any_: [b.finishedRun] } } },
    { ...with_({ operator: 'or_' }), logs: { operator: 'or_', flow_run_id: { any_: [b.finishedRun] }, level: { ge_: 0 } } },
    { flows: { name: { any_: [b.flowName] } }, variables: { name: { any_: [b.variableName] } }, block_documents: { name: { any_: [b.blockName] } } },
    { logs: { task_run_id: { any_: [b.taskRun] } }, filter: { any_resource: { id: [`prefect.flow-run.${b.finishedRun}`] } } },
    { filter: { related: { id: [`prefect.tag.${b.tag}`] } } },
  ];
}

describe('every route that reads', () => {
  it.each(READS.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
    '%s tells nothing of the other team',
    async (_name, operation) => {
      const query = operation.decidingQuery.includes('flow_run_id')
        ? `?flow_run_id=${b.finishedRun}`
        : operation.decidingQuery.includes('task_run_id')
          ? `?task_run_id=${b.taskRun}`
          : '';
      const path = pathFor(operation, b) + query;
      const bodies = operation.method === 'POST' ? bodiesFor(operation.path) : [undefined];
      await fourAtOnce(bodies, async (body) => {
        const asked = { method: operation.method, path, body };
        const { status, text } = await ask(asked);
        expect(betrayed(asked, text), `${status} ${JSON.stringify(body)}: ${text.slice(0, 500)}`).toEqual([]);
        expect(status, text).toBeLessThan(500);
      });
    },
  );
});

describe('what is its own, and names something of the other team', () => {
  const OWN = READS.filter(({ method, path }) => method === 'GET' && path.includes('{'));

  it.each(OWN.map((operation) => [operation.path, operation] as const))('%s says nothing of that', async (_name, operation) => {
    const paths = [pathFor(operation, a), ...entangled.map((run) => pathFor(operation, { ...a, finishedRun: run, scheduledRun: run }))];
    await fourAtOnce([...new Set(paths)], async (path) => {
      const asked = { method: 'GET', path };
      const { status, text } = await ask(asked);
      expect(betrayed(asked, text), `${status} ${asked.path}: ${text.slice(0, 3000)}`).toEqual([]);
      expect(status, text).toBeLessThan(500);
    });
  });

  it('is there, with what names the other team left out', async () => {
    const [started, made] = entangled;
    const read = async (path: string): Promise<unknown> => JSON.parse((await ask({ method: 'GET', path: `/api${path}` })).text);
    expect(await read(`/flow_runs/${started}`)).toMatchObject({ name: `${a.mark}-started`, parent_task_run_id: null });
    expect(await read(`/flow_runs/${made}`)).toMatchObject({ name: `${a.mark}-made`, created_by: null });
    expect(await read(`/task_runs/${a.taskRun}`)).toMatchObject({ state: { type: 'COMPLETED', state_details: { child_flow_run_id: null } } });
    expect(JSON.stringify(await read(`/deployments/${a.deployment}/work_queue_check`))).toContain(a.queueId);
    expect(await read(`/concurrency_limits/tag/${a.mark}-limited`)).toMatchObject({ active_slots: [NOBODYS] });
  });

  it('twin: a principal with the role on everything sees it', async () => {
    const [started, made] = entangled;
    const read = async (path: string): Promise<unknown> => (await gateway.fetch(`/api${path}`, { token: whole })).json();
    expect(await read(`/flow_runs/${started}`)).toMatchObject({ parent_task_run_id: b.taskRun });
    expect(await read(`/flow_runs/${made}`)).toMatchObject({ created_by: { id: b.automation, display_value: `${b.mark}-automation` } });
    expect(await read(`/task_runs/${a.taskRun}`)).toMatchObject({ state: { state_details: { child_flow_run_id: expect.any(String) } } });
    expect(await read(`/concurrency_limits/tag/${a.mark}-limited`)).toMatchObject({ active_slots: [b.taskRun] });
    expect(JSON.stringify(await read(`/flow_runs/${a.finishedRun}/graph-v2`))).toContain(`${b.mark}-child`);
  });
});

const NOBODYS = '00000000-0000-0000-0000-000000000000';

describe('twin: a principal with the role on everything', () => {
  const both = (value: (team: Team) => string) => ({ any_: [a, b].map(value) });
  /** A page of everything is of other tests as well. */
  it.each<readonly [string, () => object]>([
    ['/flow_runs/filter', () => ({ flow_runs: { tags: both(({ tag }) => tag) } })],
    ['/deployments/filter', () => ({ deployments: { tags: both(({ tag }) => tag) } })],
    ['/work_pools/filter', () => ({ work_pools: { name: both(({ pool }) => pool) } })],
    ['/variables/filter', () => ({ variables: { name: both(({ variableName }) => variableName) } })],
    ['/events/filter', () => ({ filter: { event: { name: [a, b].map(({ mark }) => `${mark}.custom`) } } })],
    ['/v2/concurrency_limits/filter', () => ({})],
  ])('sees both teams in %s', async (path, body) => {
    const init = { method: 'POST', token: whole, body: JSON.stringify(body()), headers: { 'content-type': 'application/json' } };
    const response = await gateway.fetch(`/api${path}`, init);
    const text = await response.text();
    expect([a.mark, b.mark].filter((mark) => !text.includes(mark))).toEqual([]);
  });
});

describe('what cannot be narrowed', () => {
  it.each([
    ['GET', '/api/observed-states'],
    ['POST', '/api/task_workers/filter'],
  ])('%s %s is 403 with a code', async (method, path) => {
    const { status, text } = await ask({ method, path, body: {} });
    expect([status, field(JSON.parse(text), 'code')]).toEqual([403, 'scope-not-filterable']);
  });
});

describe('a single object', () => {
  const SINGLE = READS.filter(
    ({ path, method }) => path.includes('{') && method === 'GET' && !path.includes('{slug}/block_documents') && !path.includes('{view}'),
  );

  const shared = ['/api/block_types/', '/api/block_schemas/', '/api/automations/related-to/'];

  it.each(SINGLE.filter(({ path }) => !shared.some((prefix) => path.startsWith(prefix))).map((operation) => [operation.path, operation] as const))(
    '%s of the other team is as one that does not exist',
    async (_name, operation) => {
      const [foreign, absent] = await Promise.all([
        ask({ method: 'GET', path: pathFor(operation, b) }),
        ask({ method: 'GET', path: pathFor(operation, NOBODY) }),
      ]);
      expect([foreign.status, unnamed(foreign.text, b)]).toEqual([404, unnamed(absent.text, NOBODY)]);
      expect(absent.status).toBe(404);
    },
  );
});

/** Ids and names that the request named itself. */
function unnamed(text: string, team: Team): string {
  return [...team.secrets, ...Object.values(team)]
    .filter((value): value is string => typeof value === 'string')
    .reduce((left, value) => left.replaceAll(value, '*'), text);
}

describe('the lists', () => {
  const names = async (path: string, body: unknown = {}): Promise<string> => (await ask({ method: 'POST', path: `/api${path}`, body })).text;

  it.each([
    ['/flow_runs/filter', () => a.finishedRun],
    ['/flow_runs/paginate', () => a.finishedRun],
    ['/ui/flow_runs/history', () => a.finishedRun],
    ['/task_runs/filter', () => a.taskRun],
    ['/task_runs/paginate', () => a.taskRun],
    ['/deployments/filter', () => a.deployment],
    ['/deployments/paginate', () => a.deployment],
    ['/flows/filter', () => a.flow],
    ['/flows/paginate', () => a.flow],
    ['/work_pools/filter', () => a.pool],
    ['/work_queues/filter', () => a.queueId],
    ['/logs/filter', () => `${a.mark} says`],
    ['/artifacts/filter', () => a.artifact],
    ['/artifacts/latest/filter', () => a.artifactKey],
    ['/variables/filter', () => a.variable],
    ['/block_documents/filter', () => a.block],
    ['/automations/filter', () => a.automation],
    ['/concurrency_limits/filter', () => a.tagLimit],
    ['/v2/concurrency_limits/filter', () => a.limit],
    ['/events/filter', () => `${a.mark}.custom`],
    ['/events/count-by/event', () => `${a.mark}.custom`],
  ])('%s has what is its own', async (path, own) => {
    const body = path.includes('count-by') ? { filter: {} } : {};
    expect(await names(path, body)).toContain(own());
  });

  it("/events/filter finds Lictor's own events of the team's runs by their prefix, and none of the other team's", async () => {
    const started = async (team: Team): Promise<string> => {
      const init = { method: 'POST', token: whole, body: '{}', headers: { 'content-type': 'application/json' } };
      const run = text(field(await (await gateway.fetch(`/api/deployments/${team.deployment}/create_flow_run`, init)).json(), 'id'));
      await server.post(`/flow_runs/${run}/set_state`, { state: { type: 'COMPLETED' }, force: true });
      const filter = { event: { name: ['lictor.run.started-by'] }, any_resource: { id: [`prefect.flow-run.${run}`] } };
      const isStored = async (): Promise<boolean> => field(await server.post('/events/filter', { filter }), 'total') === 1;
      await waitFor(isStored, { what: 'the event of the gateway', timeoutMs: 60_000 });
      return run;
    };
    const [theirs, own] = await Promise.all([started(b), started(a)]);
    const found = await names('/events/filter', { filter: { event: { prefix: ['lictor.'] } } });
    expect(found).toContain(own);
    expect(found).toContain('lictor.run.started-by');
    expect(found).not.toContain(theirs);
    expect(found).not.toContain(b.mark);
    expect(await names('/events/filter', { filter: { event: { prefix: ['lictor.'] }, any_resource: { id: [`prefect.flow-run.${theirs}`] } } })).toContain(
      '"events":[]',
    );
  });
});

describe('the streams', () => {
  const LATER = new Date(Date.now() + 86_400_000).toISOString();
  const listen = (path: string, filter: unknown) => {
    const socket = openSocket(gateway.url, path, { headers: { authorization: `Bearer ${token}` }, first: authFrame(null) });
    return { socket, begin: () => socket.send({ type: 'filter', filter, backfill: true }) };
  };
  const said = (socket: { frames(): readonly string[] }) => socket.frames().join('\n');

  it('/events/out carries the events of the own team, old and new, and no other', async () => {
    const { socket, begin } = listen('/api/events/out', { occurred: { until: LATER } });
    await waitFor(() => said(socket).includes('auth_success'), { what: 'the greeting' });
    begin();
    await waitFor(() => said(socket).includes(`${a.mark}.custom`), { what: 'an event from before' });
    for (const team of [b, a]) await server.post('/events', [eventAbout(team.deployment, `${team.mark}-new`)]);
    await waitFor(() => said(socket).includes(`${a.mark}-new.custom`), { what: 'a new event' });
    expect(b.secrets.filter((secret) => said(socket).includes(secret))).toEqual([]);
    socket.close();
  });

  it('/logs/out carries the lines of own runs, whatever run its filter names', async () => {
    const { socket, begin } = listen('/api/logs/out', { flow_run_id: { any_: [a.finishedRun, b.finishedRun] } });
    await waitFor(() => said(socket).includes('auth_success'), { what: 'the greeting' });
    begin();
    const line = (team: Team, message: string) => ({ name: 'x', level: 20, message, timestamp: new Date().toISOString(), flow_run_id: team.finishedRun });
    await waitFor(
      async () => {
        await server.post('/logs/', [line(b, `${b.mark} live`), line(a, `${a.mark} live`)]);
        return said(socket).includes(`${a.mark} live`);
      },
      { what: 'a line of an own run' },
    );
    expect(b.secrets.filter((secret) => said(socket).includes(secret))).toEqual([]);
    socket.close();
  });
});
