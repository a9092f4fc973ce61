// Turns the rows of a family table into operations, so that a family reads as a table.

import type { ActionGroup, ActionName, Method, Operation, PathTaken, ResourceType } from '../../contract/operation.ts';
import { parameterNames, plainTemplate, uuidNames } from './template.ts';

/** Exceptions of a row. */
export interface Special {
  /** Instead of the family's. */
  readonly resource?: ResourceType;
  /** The path parameter that is the resource's id; null: none although there is one of the family's names in the path. */
  readonly id?: string | null;
  /** Query parameters that decide. */
  readonly query?: readonly string[];
  /** Instead of the value by `group` and `method`. */
  readonly writes?: boolean;
  /** Instead of the value that `operationId` computes from function, path and method. */
  readonly operationId?: string;
}

/**
 * Columns: Prefect's function name, `METHOD /path` (below the family's prefix; `{id:uuid}` accepts only UUIDs), action, group,
 * path taken, and exceptions.
 */
export type Row = readonly [name: string, route: `${Method} /${string}`, action: ActionName, group: ActionGroup, taken: PathTaken, special?: Special];

export interface Family {
  readonly prefix: '' | '/api';
  readonly resource: ResourceType;
  /** Names of path parameters that are the resource's id, the first that a path has counts. */
  readonly ids: readonly string[];
}

/** The operations of a family. Pure; a row that contradicts itself is found by the tests of the whole catalogue. */
export function family(defaults: Family, rows: readonly Row[]): readonly Operation[] {
  return rows.map((row) => operationOf(defaults, row));
}

/**
 * FastAPI's own rule for an operationId (`fastapi.utils.generate_unique_id`): function name and path with every
 * character outside `[A-Za-z0-9_]` turned into `_`, then the method. The path is the one below /api.
 */
export function operationId(name: string, path: string, method: string): string {
  return `${`${name}${plainTemplate(path)}`.replaceAll(/\W/g, '_')}_${method.toLowerCase()}`;
}

function operationOf(defaults: Family, [name, route, action, group, taken, special = {}]: Row): Operation {
  const { method, path } = parseRoute(route);
  const names = parameterNames(path);
  const uuids = uuidNames(path);
  const resource = special.resource ?? defaults.resource;
  const idParam = special.id === undefined ? (defaults.ids.find((id) => names.includes(id)) ?? null) : special.id;
  const writes = special.writes ?? (method !== 'GET' && method !== 'HEAD' && changes(group));
  const boundTo = idParam !== null && uuids.includes(idParam) ? resource : null;
  return {
    operationId: special.operationId ?? operationId(name, path, method),
    method,
    path: `${defaults.prefix}${plainTemplate(path)}`,
    uuids,
    action,
    group,
    resource,
    idParam,
    withinParam: withinOf(resource, idParam, names),
    taken,
    objectScoped: idParam !== null || (writes && taken === 'mediated'),
    decidingQuery: special.query ?? [],
    writes,
    flowRunParam: boundTo === 'FlowRun' ? idParam : null,
    taskRunParam: boundTo === 'TaskRun' ? idParam : null,
    deploymentParam: boundTo === 'Deployment' ? idParam : null,
  };
}

const WITHIN: Readonly<Partial<Record<ResourceType, string>>> = {
  Deployment: 'flow_name',
  WorkQueue: 'work_pool_name',
  Worker: 'work_pool_name',
  BlockDocument: 'slug',
};

function withinOf(resource: ResourceType, idParam: string | null, names: readonly string[]): string | null {
  const param = WITHIN[resource];
  return param !== undefined && param !== idParam && names.includes(param) ? param : null;
}

/** These three groups hold the requests that only read, among them 51 of Prefect's 95 POSTs. */
function changes(group: ActionGroup): boolean {
  return group !== 'baseline' && group !== 'read' && group !== 'secrets';
}

const METHODS: readonly Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

function parseRoute(route: string): { method: Method; path: string } {
  const at = route.indexOf(' ');
  const method = METHODS.find((known) => known === route.slice(0, at));
  if (method === undefined) throw new TypeError(`no such method in the catalogue's row: ${route}`);
  return { method, path: route.slice(at + 1) };
}
