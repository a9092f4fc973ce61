// What a request asks for: the rights it needs, and on which objects.
import { alternativeActions } from '../catalog/actions.ts';
import type { Catalogue, Params } from '../catalog/catalogue.ts';
import { actionFor } from '../catalog/query.ts';
import type { Facts, Located } from '../contract/decision.ts';
import type { EdgeInputs } from '../contract/inputs.ts';
import type { ActionName, Operation } from '../contract/operation.ts';
import type { ReasonCode } from '../contract/reasons.ts';
import type { JsonObject } from '../json/tree.ts';
import { isScreenedRoute } from '../scope/screened.ts';

/**
 * One right that a request needs. `facts` are what the body asks for; policies see them in their context.
 *
 * The rest says on which object a scope is held against it. By default that is the resource; a resource without an id is the kind as
 * a whole, on which a role of a scope holds in part only.
 */
export interface Ask {
  readonly action: ActionName;
  readonly resource: Located;
  readonly facts?: Facts;
  /** What it will be, in Prefect's fields laid over what it is: decided on as well. */
  readonly changes?: JsonObject;
  /** It is not there yet, and this is what it will be: decided on alone. */
  readonly creates?: JsonObject;
  /** Another object that decides for it: the run that a log line is about. */
  readonly of?: Located;
  /** With `of`: it may also be that there is no such object. */
  readonly orAbsent?: boolean;
  /** A flow that is named by its id and gets a use: for whoever's roles hold on some objects only it must be one that they reach or know. */
  readonly uses?: Located;
  /** A lease of slots that is renewed or released: whoever may not do that everywhere, and every run, must hold it. */
  readonly lease?: string;
  /** A guarded tag that the change puts on or takes off (holds-tag.ts). What the object is was asked for beside it. */
  readonly tag?: string;
  /** The scope must cover the object with all of its uses: what it says is not only theirs whose use is covered. */
  readonly whole?: boolean;
  /** Nobody's in particular: a role of a scope holds on it as on everything. */
  readonly shared?: boolean;
  /** What is said of the object names others: it is screened for whoever reads it by a scope. */
  readonly screened?: boolean;
  /** The object that the path names: when it is foreign, the request is answered as if there were none. */
  readonly own?: boolean;
}

/** The operation's own action, or all that it can turn out to be, on its own resource; a reason when the query cannot be read safely. */
export function ownAsks(catalogue: Catalogue, operation: Operation, inputs: EdgeInputs, any: boolean): readonly Ask[] | ReasonCode {
  const action = actionFor(operation, inputs.args);
  if (action === 'query-invalid') return 'query-invalid';
  const params = inputs.path === '' ? {} : catalogue.params(operation, inputs.path);
  if (params === undefined) return 'action-unknown';
  const resource = locate(operation, params);
  const actions = any ? alternativeActions(operation) : [action];
  return actions.map((name) => ({ action: name, resource, own: true, ...(isScreenedRoute(operation) && { screened: true }) }));
}

/** The resource that a path names. */
export function locate({ resource: type, idParam, withinParam, uuids }: Operation, params: Params): Located {
  if (idParam === null) return { type, id: null };
  // A limit of tag T and a limit of the name T are two.
  const within = withinParam === null ? (idParam === 'tag' ? idParam : undefined) : params[withinParam];
  return { type, id: params[idParam] ?? null, ...(!uuids.includes(idParam) && { named: true }), ...(within !== undefined && { within }) };
}
