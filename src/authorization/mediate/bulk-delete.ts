// Deletes many flow runs, deployments or flows, one flow, or one deployment. Prefect deletes a flow with its deployments and runs, and a deployment with its limit.

import { field, isList, textsIn } from '../../contract/json/tree.ts';
import { answerObject, textField } from '../../prefect/client/answer.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import type { Ask } from '../decide/decider.ts';
import { DEPLOYMENTS, FLOW_RUNS, FLOWS, itemRecords, itemRefusal, type Kind, namingOnly, resolve } from './bulk.ts';
import { deletedLimitAsks } from './deployment-limits.ts';
import { type Call, type Handler, type Lookup, MEBIBYTE, type Outcome, ownAsk, type Plan, type Planned, planned, refused } from './handler.ts';
import { distinctAsks } from './template-references.ts';

export const deleteFlowRuns = bulkDelete('bulk_delete_flow_runs_flow_runs_bulk_delete_post', FLOW_RUNS);
export const deleteDeployments = bulkDelete('bulk_delete_deployments_deployments_bulk_delete_post', DEPLOYMENTS);
export const deleteFlows = bulkDelete('bulk_delete_flows_flows_bulk_delete_post', FLOWS);

export const deleteFlow: Handler = {
  operations: ['delete_flow_flows__id__delete'],
  maxBytes: MEBIBYTE,
  plan: async (call, lookup) => planned({ asks: [ownAsk(call), ...(await contentAsks([call.params['id'] ?? ''], lookup))] }),
};

export const deleteDeployment: Handler = {
  operations: ['delete_deployment_deployments__id__delete'],
  maxBytes: MEBIBYTE,
  plan: (call, lookup) => planned({ asks: [ownAsk(call)], further: () => deletedLimitAsks([call.params['id'] ?? ''], lookup) }),
};

function bulkDelete(operationId: string, kind: Kind): Handler {
  return { operations: [operationId], maxBytes: MEBIBYTE, plan: (call, lookup) => planBulk(call, kind, lookup) };
}

async function planBulk(call: Call, kind: Kind, lookup: Lookup): Promise<Planned> {
  const resolved = await resolve(call, kind, lookup);
  return 'code' in resolved ? refused(resolved) : planned(await planDeletion(call, kind, { ids: resolved.ids, lookup }));
}

interface Deletion {
  readonly ids: readonly string[];
  readonly lookup: Lookup;
}

async function planDeletion(call: Call, kind: Kind, { ids, lookup }: Deletion): Promise<Plan> {
  const { action } = call.operation;
  const facts = { count: ids.length };
  const each = ids.map((id): Ask => ({ action, resource: { type: kind.type, id }, facts }));
  // When no object matches, Prefect deletes nothing, so no scope has to cover anything.
  const none: readonly Ask[] = ids.length === 0 ? [{ ...ownAsk(call), facts, on: { kind: 'shared' } }] : [];
  const contents = kind === FLOWS ? await contentAsks(ids, lookup) : [];
  const limits = kind === DEPLOYMENTS ? await deletedLimitAsks(ids, lookup) : [];
  return {
    asks: distinctAsks([...each, ...none, ...contents, ...limits]),
    rewrite: () => namingOnly(kind, ids),
    outcome: (answer) => deleted(answer, kind),
    refusal: itemRefusal(kind, ids),
    without: (gone) => planDeletion(call, kind, { ids: ids.filter((id) => !gone.has(id)), lookup }),
  };
}

/** Prefect's own limit of a list. A flow with more deployments needs the right on all deployments. */
const MOST_LISTED = 200;

/** Prefect deletes the runs with the flow. No scope has to cover them: it covers the flow with all of its uses. */
const RUNS: Ask = { action: 'flow_runs.delete', resource: { type: 'FlowRun', id: null }, on: { kind: 'shared' } };

/** What Prefect deletes together with these flows. */
async function contentAsks(flows: readonly string[], lookup: Lookup): Promise<readonly Ask[]> {
  if (flows.length === 0) return [];
  const found = await lookup('/api/deployments/filter', { flows: { id: { any_: [...flows] } }, limit: MOST_LISTED });
  const ids = isList(found) ? found.map((item) => textField(item, 'id')) : [];
  const all = ids.length >= MOST_LISTED || !isList(found) ? [null] : [];
  return distinctAsks([...[...ids, ...all].map((id): Ask => ({ action: 'deployments.delete', resource: { type: 'Deployment', id } })), RUNS]);
}

function deleted(answer: UpstreamAnswer, kind: Kind): Outcome {
  const ids = answer.status < 300 ? textsIn(field(answerObject(answer), 'deleted')) : [];
  return { record: { resource_id: null }, items: itemRecords(kind, ids) };
}
