// Writing automations: decided on what the new one does and on what the old one did; switching on, off and deleting alike.
//
// Measured with stock clients of 3.9.1: `prefect deploy` deletes those owned by its deployment, then creates one `run-deployment`
// for each trigger, with owner_resource prefect.deployment.ID; the UI and `automation pause|resume` PATCH {"enabled": ...}.
import type { Decision } from '../../contract/decision.ts';
import { field, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { Ask, AskObject } from '../decide/asks.ts';
import { actionAsks, actionsOf, unbounded } from './automation-actions.ts';
import { listeningAsks } from './automation-triggers.ts';
import { type Call, type Family, invalid, type Lookup, MEBIBYTE, ownResource, type Planned, planned, type Refusal } from './family.ts';
import { createdObject } from './generic.ts';
import { parameterFacts } from './parameter-facts.ts';
import { refusedActions } from './reserved-env.ts';

export const createAutomation: Family = {
  operations: ['create_automation_automations__post'],
  maxBytes: MEBIBYTE,
  async plan(call, lookup) {
    const body = call.tree;
    if (!isObject(body)) return invalid('An automation must be described by a JSON object.');
    const refused = refusedActions(body);
    if (refused !== undefined) return { ok: false, refusal: refused };
    const on = { kind: 'created', fields: { name: field(body, 'name') ?? null } } as const;
    const further = [...ownerAsks(call, field(body, 'owner_resource') ?? null), ...listeningAsks(body)];
    return planChange(call, lookup, { automations: [body], further, on });
  },
};

export const updateAutomation: Family = {
  operations: ['update_automation_automations__id__put'],
  maxBytes: MEBIBYTE,
  async plan(call, lookup) {
    const body = call.tree;
    if (!isObject(body)) return invalid('An automation must be described by a JSON object.');
    const refused = refusedActions(body);
    if (refused !== undefined) return { ok: false, refusal: refused };
    const on = { kind: 'resource', changes: { name: field(body, 'name') ?? null } } as const;
    return planChange(call, lookup, { automations: [body, ...(await oldAutomation(call, lookup))], further: listeningAsks(body), on });
  },
};

export const switchAutomation: Family = {
  operations: ['patch_automation_automations__id__patch', 'delete_automation_automations__id__delete'],
  maxBytes: MEBIBYTE,
  async plan(call, lookup) {
    const old = await oldAutomation(call, lookup);
    // Whoever switches it on makes it listen and act from now on, as whoever writes it.
    const stored = isSwitchedOff(call) ? [] : old;
    const problem = stored.map(refusedActions).find((refused) => refused !== undefined);
    return planChange(call, lookup, { automations: old, further: stored.flatMap(listeningAsks), problem });
  },
};

/** What is not plainly false switches on: Prefect takes "yes" for true. */
function isSwitchedOff({ operation, tree }: Call): boolean {
  return operation.method === 'DELETE' || (isObject(tree) && field(tree, 'enabled') === false);
}

/** `prefect deploy` clears the automations of its own deployment, whatever they do: whoever may write the deployment may. */
export const deleteOwnedAutomations: Family = {
  operations: ['delete_automations_owned_by_resource_automations_owned_by__resource_id__delete'],
  maxBytes: MEBIBYTE,
  plan(call) {
    // The path names their owner; whose they are is asked for beside.
    const own: Ask = { action: call.operation.action, resource: ownResource(call), on: { kind: 'shared' } };
    return planned({ asks: [own, ...ownerAsks(call, call.params['resource_id'] ?? null)], intent: true, rewrite: () => call.tree, refusal });
  },
};

async function oldAutomation({ params }: Call, lookup: Lookup): Promise<readonly JsonObject[]> {
  const old = await lookup(`/api/automations/${params['id'] ?? ''}`);
  return isObject(old) ? [old] : [];
}

interface Change {
  /** The new one and the old one. */
  readonly automations: readonly JsonObject[];
  readonly further: readonly Ask[];
  readonly on?: AskObject;
  readonly problem?: Refusal | undefined;
}

const TOO_MANY: Refusal = { code: 'body-invalid', detail: 'actions, actions_on_trigger and actions_on_resolve must be lists of objects, 50 at most.' };

function planChange(call: Call, lookup: Lookup, { automations, further, on, problem }: Change): Planned {
  const lists = automations.map(actionsOf);
  const actions = lists.flatMap((list) => list ?? []);
  const own: Ask = { action: call.operation.action, resource: ownResource(call), ...(on !== undefined && { on }) };
  return planned({
    asks: [own],
    further: async () => [...further, ...(await actionAsks(actions, { lookup, readsParameters: call.readsParameters }))],
    intent: true,
    problem: lists.includes(undefined) ? TOO_MANY : problem,
    rewrite: () => call.tree,
    outcome: (answer) => createdObject(call, answer),
    refusal,
  });
}

const OWNER = /^prefect\.deployment\.(.+)$/;

/** Whoever is named as owner deletes it some day with its own: that must be the author's to write. */
function ownerAsks(call: Call, owner: JsonValue): readonly Ask[] {
  if (owner === null) return [];
  const id = typeof owner === 'string' ? parseUuid(OWNER.exec(owner)?.[1] ?? '') : undefined;
  return [id === undefined ? unbounded : { action: 'deployments.write', resource: { type: 'Deployment', id }, facts: parameterFacts(call, null, 'later') }];
}

function refusal(denied: readonly Decision[]): Refusal | undefined {
  if (denied.some(({ reason }) => reason === 'parameters-unreadable')) return { code: 'parameters-unreadable' };
  const missing = denied
    .filter(({ resource, action }) => (resource.type !== 'Automation' && action !== 'events.read') || action === unbounded.action)
    .map(({ action }) => action);
  if (missing.length === 0) return undefined;
  return { code: 'automation-exceeds-rights', detail: `The automation would do what its author may not: ${[...new Set(missing)].join(', ')}.` };
}
