// `POST /work_pools/{name}/get_scheduled_flow_runs`: Lictor adds a token for each run to the answer that the worker gets.
//
// Prefect never sees the token: the worker starts the run from exactly this object, and writes none of it back (measured with 3.9.1).

import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../contract/cache-limit.ts';
import { field, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import type { GivenRun } from '../../identity/authn/run-token/mint.ts';
import { answerList, textField, withJson } from '../../prefect/client/answer.ts';
import { initiatorsOf } from '../../prefect/client/initiators.ts';
import { withToken } from '../../prefect/client/job-env.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import { type Handler, MEBIBYTE, planned, type Requester } from './handler.ts';
import type { RunTokenParts } from './parts.ts';

export function pollWorkPool(runs?: RunTokenParts): Handler {
  const reported = new LRUCache<string, true>(atMostEntries(MOST_REPORTED));
  return {
    operations: ['get_scheduled_flow_runs_work_pools__name__get_scheduled_flow_runs_post'],
    maxBytes: MEBIBYTE,
    plan(call) {
      const pool = call.params['name'] ?? '';
      return planned({
        asks: [],
        intent: false,
        settle: async (answer, requester) => (runs === undefined || answer.status !== 200 ? answer : withTokens({ runs, reported, pool, requester }, answer)),
      });
    },
  };
}

interface Poll {
  readonly runs: RunTokenParts;
  /** Attempts that have a record already: a worker polls every few seconds. */
  readonly reported: LRUCache<string, true>;
  readonly pool: string;
  readonly requester: Requester;
}

const MOST_REPORTED = 10_000;

async function withTokens(poll: Poll, answer: UpstreamAnswer): Promise<UpstreamAnswer> {
  const items = answerList(answer);
  if (items.length === 0) return answer;
  const given = (await Promise.all(items.map((item) => givenRun(poll, item)))).filter((run) => run !== undefined);
  const tokens = await poll.runs.desk.mint(poll.requester, given);
  const template = tokens.size === 0 ? undefined : field(await poll.runs.recent(`/api/work_pools/${encodeURIComponent(poll.pool)}`), 'base_job_template');
  return withJson(answer, await Promise.all(items.map((item) => injected(poll, { item, tokens, template }))));
}

async function givenRun({ runs, pool }: Poll, item: JsonObject): Promise<GivenRun | undefined> {
  const run = field(item, 'flow_run');
  const flowRunId = textField(run, 'id');
  const stateId = textField(run, 'state_id') ?? textField(field(run, 'state'), 'id');
  if (!isObject(run) || flowRunId === null || stateId === null) return undefined;
  return { flowRunId, stateId, pool, deploymentId: textField(run, 'deployment_id'), onBehalfOf: await chainOf(runs, run) };
}

/** An automation acts for its author. */
async function chainOf({ makerOf }: RunTokenParts, run: JsonObject): Promise<readonly string[]> {
  const chain = initiatorsOf(run);
  const automation = /^automation:(.+)$/.exec(chain[0] ?? '')?.[1];
  const maker = automation === undefined ? null : await makerOf('Automation', automation);
  return maker === null ? chain : [...chain, maker];
}

interface Item {
  readonly item: JsonObject;
  readonly tokens: ReadonlyMap<string, string>;
  readonly template: JsonValue | undefined;
}

async function injected(poll: Poll, { item, tokens, template }: Item): Promise<JsonObject> {
  const run = field(item, 'flow_run');
  const id = textField(run, 'id');
  if (!isObject(run) || id === null) return item;
  const token = tokens.get(id);
  const deploymentId = textField(run, 'deployment_id');
  const deployment = token === undefined || deploymentId === null ? undefined : await poll.runs.recent(`/api/deployments/${deploymentId}`);
  const own = field(run, 'job_variables');
  const variables =
    token === undefined ? undefined : withToken({ token, apiUrl: poll.runs.apiUrl, own, deployment: field(deployment, 'job_variables'), template });
  if (variables === undefined) {
    await reportNotInjectable(poll, run);
    return item;
  }
  return { ...item, flow_run: { ...run, job_variables: variables } };
}

/** Writes one record for each attempt and worker. The run then has its worker's credential, as without tokens. */
async function reportNotInjectable({ runs, reported, pool, requester: { principal, credential } }: Poll, run: JsonObject): Promise<void> {
  const key = `${textField(run, 'id')} ${textField(run, 'state_id')} ${principal.id}`;
  if (reported.has(key)) return;
  reported.set(key, true);
  await runs.record({
    principal: principal.id,
    principal_kind: principal.kind,
    idp: principal.idp,
    credential_id: credential.id,
    action: 'run_token.mint',
    reason: 'run-token-not-injectable',
    resource_type: 'WorkPool',
    resource_id: pool,
    flow_run_id: textField(run, 'id'),
    deployment_id: textField(run, 'deployment_id'),
    run_binding: 'verified',
  });
}
