// Two teams on one Prefect: each with everything that Prefect has, under names and ids that say whose they are.
import { randomUUID } from 'node:crypto';
import { type Direct, field, list, text } from './prefect.ts';

export interface Team {
  /** In every name that is the team's. */
  readonly mark: string;
  readonly tag: string;
  readonly pool: string;
  readonly queue: string;
  readonly queueId: string;
  readonly flow: string;
  readonly flowName: string;
  readonly deployment: string;
  readonly deploymentName: string;
  readonly scheduledRun: string;
  readonly finishedRun: string;
  /** Of no deployment, with the team's tag, in the flow that both teams have. */
  readonly localRun: string;
  readonly stateId: string;
  readonly taskRun: string;
  readonly artifact: string;
  readonly artifactKey: string;
  readonly variable: string;
  readonly variableName: string;
  readonly block: string;
  readonly blockName: string;
  readonly automation: string;
  readonly limit: string;
  readonly limitName: string;
  readonly tagLimit: string;
  readonly search: string;
  /** Everything by which an answer could betray the team. */
  readonly secrets: readonly string[];
}

/** The scope that is this team and nothing else, for `token create` and `account add`. */
export function scopeArguments({ mark, tag, pool }: Team): readonly string[] {
  const named = ['variable', 'block', 'automation', 'concurrency_limit'].map((key) => `${key}=${mark}*`);
  return [`tag=${tag}`, `work_pool=${pool}`, ...named].flatMap((text) => ['--scope', text]);
}

/** Makes them straight at Prefect. */
export async function makeTeams(server: Direct): Promise<{ readonly a: Team; readonly b: Team }> {
  const stamp = Date.now().toString(36);
  const shared = id(await server.post('/flows/', { name: `shared-${stamp}` }));
  return { a: await makeTeam(server, `zat${stamp}`, shared), b: await makeTeam(server, `zbt${stamp}`, shared) };
}

/**
 * What of `a` names something of `b`: a run that a task of `b` has started, one that an automation of `b` has made, a task run that has
 * started a run of `b`, a slot that `b` holds. Answers the ids of those two runs.
 */
export async function entangle(server: Direct, a: Team, b: Team): Promise<readonly string[]> {
  const create = `/deployments/${a.deployment}/create_flow_run`;
  const started = id(await server.post(create, { name: `${a.mark}-started`, parent_task_run_id: b.taskRun }));
  const by = { 'Prefect-Automation-ID': b.automation, 'Prefect-Automation-Name': Buffer.from(`${b.mark}-automation`).toString('base64') };
  const made = id(await server.post(create, { name: `${a.mark}-made` }, by));
  const child = id(await server.post('/flow_runs/', { flow_id: b.flow, tags: [b.tag], name: `${b.mark}-child`, parent_task_run_id: a.taskRun }));
  const details = { flow_run_id: a.finishedRun, task_run_id: a.taskRun, child_flow_run_id: child };
  await server.post(`/task_runs/${a.taskRun}/set_state`, { state: { type: 'COMPLETED', state_details: details }, force: true });
  await server.post('/concurrency_limits/increment', { names: [`${a.mark}-limited`], task_run_id: b.taskRun });
  return [started, made];
}

async function makeTeam(server: Direct, mark: string, sharedFlow: string): Promise<Team> {
  const tag = `${mark}-tag`;
  const pool = `${mark}-pool`;
  const queue = `${mark}-queue`;
  const made = async (path: string, body: unknown): Promise<string> => id(await server.post(path, body));
  await server.post('/work_pools/', { name: pool, type: 'process', description: `for ${mark}` });
  const queueId = await made(`/work_pools/${pool}/queues`, { name: queue });
  const flowName = `${mark}-flow`;
  const flow = await made('/flows/', { name: flowName });
  const deploymentName = `${mark}-deployment`;
  const deployment = await made('/deployments/', { name: deploymentName, flow_id: flow, tags: [tag], work_pool_name: pool, work_queue_name: queue });
  await made('/deployments/', { name: `${mark}-shared`, flow_id: sharedFlow, tags: [tag], work_pool_name: pool });
  const run = (name: string) => made(`/deployments/${deployment}/create_flow_run`, { name: `${mark}-${name}` });
  const scheduledRun = await run('scheduled');
  const finishedRun = await run('finished');
  await server.post(`/flow_runs/${finishedRun}/set_state`, { state: { type: 'COMPLETED', name: `${mark}-done` }, force: true });
  const stateId = text(field(field(await server.get(`/flow_runs/${finishedRun}`), 'state'), 'id'));
  const localRun = await made('/flow_runs/', { name: `${mark}-local`, flow_id: sharedFlow, tags: [tag] });
  const taskRun = await made('/task_runs/', { flow_run_id: finishedRun, task_key: `${mark}-key`, dynamic_key: '0', name: `${mark}-task` });
  await server.post('/logs/', [{ name: `${mark}-logger`, level: 20, message: `${mark} says`, timestamp: new Date().toISOString(), flow_run_id: finishedRun }]);
  const artifactKey = `${mark}-artifact`;
  const artifact = await made('/artifacts/', { key: artifactKey, type: 'markdown', data: `${mark} data`, flow_run_id: finishedRun, task_run_id: taskRun });
  const variableName = `${mark}_variable`;
  const variable = await made('/variables/', { name: variableName, value: `${mark}-value`, tags: [tag] });
  const blockName = `${mark}-block`;
  const block = await makeBlock(server, blockName);
  const automation = await made('/automations/', automationOn(deployment, `${mark}-automation`));
  const limitName = `${mark}-limit`;
  const limit = await made('/v2/concurrency_limits/', { name: limitName, limit: 3 });
  const tagLimit = await made('/concurrency_limits/', { tag: `${mark}-limited`, concurrency_limit: 3 });
  const search = text(field(await server.put('/saved_searches/', { name: `${mark}-search`, filters: [] }), 'id'));
  await server.post('/events', [eventAbout(deployment, mark)]);
  const ids = {
    queueId,
    flow,
    deployment,
    scheduledRun,
    finishedRun,
    localRun,
    stateId,
    taskRun,
    artifact,
    variable,
    block,
    automation,
    limit,
    tagLimit,
    search,
  };
  return { mark, tag, pool, queue, flowName, deploymentName, artifactKey, variableName, blockName, limitName, ...ids, secrets: [mark, ...Object.values(ids)] };
}

async function makeBlock(server: Direct, name: string): Promise<string> {
  const type = id(await server.get('/block_types/slug/secret'));
  const [schema] = list(await server.post('/block_schemas/filter', { block_schemas: { block_type_id: { any_: [type] } } }));
  return id(await server.post('/block_documents/', { name, data: { value: name }, block_type_id: type, block_schema_id: id(schema) }));
}

function automationOn(deployment: string, name: string) {
  return {
    name,
    trigger: {
      type: 'event',
      posture: 'Reactive',
      expect: ['x.y'],
      match: { 'prefect.resource.id': `prefect.deployment.${deployment}` },
      threshold: 1,
      within: 0,
    },
    actions: [{ type: 'pause-deployment', source: 'selected', deployment_id: deployment }],
  };
}

/** An event of people's own, related to a deployment. */
export function eventAbout(deployment: string, mark: string) {
  return {
    id: randomUUID(),
    occurred: new Date().toISOString(),
    event: `${mark}.custom`,
    resource: { 'prefect.resource.id': `${mark}.thing` },
    related: [{ 'prefect.resource.id': `prefect.deployment.${deployment}`, 'prefect.resource.role': 'deployment' }],
    payload: { said: mark },
  };
}

function id(value: unknown): string {
  return text(field(value, 'id'));
}
