// Writing, switching and deleting automations: Lictor decides on what the new one does and on what the old one did.
//
// Measured with stock clients of 3.9.1: `prefect deploy` deletes the automations that its deployment owns. It then creates a `run-deployment`
// for each trigger, with owner_resource prefect.deployment.ID. The UI and `automation pause|resume` PATCH {"enabled": ...}.
import type { Decision } from '../../contract/decision.ts';
import { field, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { Ask, AskObject } from '../decide/asks.ts';
import { actionAsks, actionsOf, refusedActions, unbounded } from './automation-actions.ts';
import { listeningAsks } from './automation-triggers.ts';
import { createdObject } from './default-handler.ts';
import { type Call, type Handler, type Lookup, MEBIBYTE, ownAsk, type Planned, planned, type Refusal, refused, withObject } from './handler.ts';
import { parameterFacts } from './parameter-facts.ts';

export const writeAutomation: Handler = {
  operations: ['create_automation_automations__post', 'update_automation_automations__id__put'],
  maxBytes: MEBIBYTE,
  plan: withObject(async (call, body, lookup) => {
    const refusal = refusedActions(body);
    if (refusal !== undefined) return refused(refusal);
    const isNew = call.operation.idParam === null;
    const fields = { name: field(body, 'name') ?? null };
    const owner = isNew ? ownerAsks(call, field(body, 'owner_resource') ?? null) : [];
    const old = isNew ? [] : await oldAutomation(call, lookup);
    const on: AskObject = isNew ? { kind: 'created', fields } : { kind: 'resource', changes: fields };
    return planChange(call, lookup, { automations: [body, ...old], further: [...owner, ...listeningAsks(body)], on });
  }),
};

export const switchAutomation: Handler = {
  operations: ['patch_automation_automations__id__patch', 'delete_automation_automations__id__delete'],
  maxBytes: MEBIBYTE,
  async plan(call, lookup) {
    const old = await oldAutomation(call, lookup);
    // A principal that switches an automation on makes it listen and act, as its author does.
    const enabled = isSwitchedOff(call) ? [] : old;
    const problem = enabled.map(refusedActions).find((refusal) => refusal !== undefined);
    return planChange(call, lookup, { automations: old, further: enabled.flatMap(listeningAsks), problem });
  },
};

/** Every other value than `false` switches on: Prefect accepts "yes" for true. */
function isSwitchedOff({ operation, tree }: Call): boolean {
  return operation.method === 'DELETE' || field(tree, 'enabled') === false;
}

/** `prefect deploy` deletes the automations that the deployment owns, so the right to write the deployment suffices. */
export const deleteOwnedAutomations: Handler = {
  operations: ['delete_automations_owned_by_resource_automations_owned_by__resource_id__delete'],
  maxBytes: MEBIBYTE,
  plan(call) {
    // The path names the owner of the automations: the second ask is about it.
    const own: Ask = { ...ownAsk(call), on: { kind: 'shared' } };
    return planned({ asks: [own, ...ownerAsks(call, call.params['resource_id'] ?? null)], refusal });
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
  return planned({
    asks: [{ ...ownAsk(call), ...(on !== undefined && { on }) }],
    further: async () => [...further, ...(await actionAsks(actions, { lookup, readsParameters: call.readsParameters }))],
    problem: lists.includes(undefined) ? TOO_MANY : problem,
    outcome: (answer) => createdObject(call, answer),
    refusal,
  });
}

const OWNER = /^prefect\.deployment\.(.+)$/;

/** Prefect deletes an automation with its owner, so the author must have the right to write that deployment. */
function ownerAsks(call: Call, owner: JsonValue): readonly Ask[] {
  if (owner === null) return [];
  const id = typeof owner === 'string' ? parseUuid(OWNER.exec(owner)?.[1]) : undefined;
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
