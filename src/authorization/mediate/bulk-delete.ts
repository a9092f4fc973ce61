// Deleting many flow runs, deployments or flows, one flow and one deployment: a flow takes its deployments and runs with it, and a deployment its limit.

import { field, isList, isObject, textsIn } from '../../contract/json/tree.ts';
import { answerObject } from '../../prefect/client/answer.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import type { Ask } from '../decide/decider.ts';
import { DEPLOYMENTS, FLOW_RUNS, FLOWS, itemRecords, itemRefusal, type Kind, namingOnly, resolve } from './bulk.ts';
import { type Call, type Family, type Lookup, MEBIBYTE, type Outcome, ownResource, type Plan, type Planned, planned } from './family.ts';
import { deletedLimitAsks } from './linked-limits.ts';
import { distinctAsks } from './references.ts';

export const deleteFlowRuns = bulkDelete('bulk_delete_flow_runs_flow_runs_bulk_delete_post', FLOW_RUNS);
export const deleteDeployments = bulkDelete('bulk_delete_deployments_deployments_bulk_delete_post', DEPLOYMENTS);
export const deleteFlows = bulkDelete('bulk_delete_flows_flows_bulk_delete_post', FLOWS);

export const deleteFlow: Family = {
  operations: ['delete_flow_flows__id__delete'],
  maxBytes: MEBIBYTE,
  async plan(call, lookup) {
    const own: Ask = { action: call.operation.action, resource: ownResource(call) };
    return planned({ asks: [own, ...(await beneathFlows([call.params['id'] ?? ''], lookup))], intent: true, rewrite: () => call.tree });
  },
};

export const deleteDeployment: Family = {
  operations: ['delete_deployment_deployments__id__delete'],
  maxBytes: MEBIBYTE,
  plan(call, lookup) {
    const own: Ask = { action: call.operation.action, resource: ownResource(call) };
    const further = () => deletedLimitAsks([call.params['id'] ?? ''], lookup);
    return planned({ asks: [own], further, intent: true, rewrite: () => call.tree });
  },
};

function bulkDelete(operationId: string, kind: Kind): Family {
  return { operations: [operationId], maxBytes: MEBIBYTE, plan: (call, lookup) => planBulk(call, kind, lookup) };
}

async function planBulk(call: Call, kind: Kind, lookup: Lookup): Promise<Planned> {
  const resolved = await resolve(call, kind, lookup);
  return 'code' in resolved ? { ok: false, refusal: resolved } : planned(await planDeletion(call, kind, { ids: resolved.ids, lookup }));
}

interface Deletion {
  readonly ids: readonly string[];
  readonly lookup: Lookup;
}

async function planDeletion(call: Call, kind: Kind, { ids, lookup }: Deletion): Promise<Plan> {
  const { action } = call.operation;
  const facts = { count: ids.length };
  const each = ids.map((id): Ask => ({ action, resource: { type: kind.type, id }, facts }));
  // Nothing matches: nothing is deleted, whoever asks.
  const none: readonly Ask[] = ids.length === 0 ? [{ action, resource: ownResource(call), facts, on: { kind: 'shared' } }] : [];
  const beneath = kind === FLOWS ? await beneathFlows(ids, lookup) : [];
  const limits = kind === DEPLOYMENTS ? await deletedLimitAsks(ids, lookup) : [];
  return {
    asks: distinctAsks([...each, ...none, ...beneath, ...limits]),
    intent: true,
    rewrite: () => namingOnly(kind, ids),
    outcome: (answer) => deleted(answer, kind),
    refusal: itemRefusal(kind, ids),
    without: (gone) => planDeletion(call, kind, { ids: ids.filter((id) => !gone.has(id)), lookup }),
  };
}

/** Prefect's own limit of a list. A flow with more of them needs the right on all deployments. */
const MOST_LISTED = 200;

/** Its runs go with a flow too. Whose they are is for the flow, which must be inside with all of its uses. */
const RUNS: Ask = { action: 'flow_runs.delete', resource: { type: 'FlowRun', id: null }, on: { kind: 'shared' } };

async function beneathFlows(flows: readonly string[], lookup: Lookup): Promise<readonly Ask[]> {
  if (flows.length === 0) return [];
  const found = await lookup('/api/deployments/filter', { flows: { id: { any_: [...flows] } }, limit: MOST_LISTED });
  const items = isList(found) ? found : [];
  const ids = items.map((item) => (isObject(item) ? field(item, 'id') : null)).map((id) => (typeof id === 'string' ? id : null));
  const all = items.length >= MOST_LISTED || !isList(found) ? [null] : [];
  return distinctAsks([...[...ids, ...all].map((id): Ask => ({ action: 'deployments.delete', resource: { type: 'Deployment', id } })), RUNS]);
}

function deleted(answer: UpstreamAnswer, kind: Kind): Outcome {
  const object = answer.status < 300 ? answerObject(answer) : null;
  const list = field(object, 'deleted');
  const ids = textsIn(list);
  return { record: { resource_id: null }, items: itemRecords(kind, ids) };
}
