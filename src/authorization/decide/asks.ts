// Asks: the rights that a request needs, and their objects.

import type { Facts, Located } from '../../contract/decision.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { JsonObject } from '../../contract/json/tree.ts';
import type { ActionName, Operation } from '../../contract/operation.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { isScreenedRoute } from '../../contract/scope/screened.ts';
import { alternativeActions } from '../../prefect/catalog/actions.ts';
import type { Catalogue, Params } from '../../prefect/catalog/catalogue.ts';
import { actionFor } from '../../prefect/catalog/query.ts';

/** One right that a request needs. Policies see `facts` about the body in their context. */
export interface Ask {
  readonly action: ActionName;
  readonly resource: Located;
  readonly facts?: Facts;
  /** Left out: the resource as it is. A resource without an id is the whole kind, and a role with a scope holds only on a part of it. */
  readonly on?: AskObject;
  /** The path names the resource: a foreign one is answered as if it did not exist. `screened`: the answer also names other objects. */
  readonly inPath?: { readonly screened: boolean };
}

/** The object that a scope must cover. */
export type AskObject =
  /** The resource. `changes`: Prefect's fields that the request lays over it, decided on as well. `whole`: covered with all of its uses. */
  | { readonly kind: 'resource'; readonly changes?: JsonObject; readonly uses?: Located; readonly whole?: true }
  /** An object that the request creates, with these fields. */
  | { readonly kind: 'created'; readonly fields: JsonObject; readonly uses?: Located }
  /** Another object: the run that a log line is about. `orAbsent`: it need not exist. */
  | { readonly kind: 'related'; readonly object: Located; readonly orAbsent?: boolean }
  /** No object of one owner: a role with a scope holds as one on everything does. */
  | { readonly kind: 'shared' }
  /** A lease of slots, renewed or released: a run, and a principal that may not do so everywhere, must hold it (holds-lease.ts). */
  | { readonly kind: 'lease'; readonly lease: string }
  /** A guarded tag that the change puts on or takes off (holds-tag.ts). Another ask covers the object. */
  | { readonly kind: 'tag'; readonly tag: string };

/** The object that the ask is about, unless the request creates it. */
export function objectOf({ resource, on }: Ask): Located {
  return on?.kind === 'related' ? on.object : resource;
}

/** A flow that the request names by its id and adds a use to. A principal with scopes must see it, or have registered its name. */
export function usedFlow({ on }: Ask): Located | undefined {
  return on?.kind === 'resource' || on?.kind === 'created' ? on.uses : undefined;
}

/** The operation's own action, or with `any` all its alternatives, on its own resource. A reason when Lictor cannot read the query safely. */
export function ownAsks(catalogue: Catalogue, operation: Operation, inputs: EdgeInputs, any: boolean): readonly Ask[] | ReasonCode {
  const action = actionFor(operation, inputs.args);
  if (action === 'query-invalid') return 'query-invalid';
  const params = inputs.path === '' ? {} : catalogue.params(operation, inputs.path);
  if (params === undefined) return 'action-unknown';
  const resource = locate(operation, params);
  const actions = any ? alternativeActions(operation) : [action];
  return actions.map((name) => ({ action: name, resource, inPath: { screened: isScreenedRoute(operation) } }));
}

/** The resource that a path names. */
export function locate({ resource: type, idParam, withinParam, uuids }: Operation, params: Params): Located {
  if (idParam === null) return { type, id: null };
  // A limit of tag T and a limit of the name T are two.
  const within = withinParam === null ? (idParam === 'tag' ? idParam : undefined) : params[withinParam];
  return { type, id: params[idParam] ?? null, ...(!uuids.includes(idParam) && { named: true }), ...(within !== undefined && { within }) };
}
