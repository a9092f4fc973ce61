// Compares the catalogue with an OpenAPI document of a running Prefect: what is new, changed or gone there.

import type { Operation } from '../../contract/operation.ts';
import { CONDITIONAL_OPERATIONS } from './operations.ts';

export interface Difference {
  /** `new`: a route of Prefect without an entry. `gone`: an entry without a route. `changed`: another method, path or kind of id. */
  readonly kind: 'new' | 'gone' | 'changed';
  readonly operationId: string;
  readonly detail: string;
}

/**
 * `document` is what `/api/openapi.json` answers; its paths are below /api. Sockets, UI and docs are in no such document and are
 * left out. Throws TypeError when it is no OpenAPI document. Not compared: bodies and answers.
 */
export function compareWithOpenApi(operations: readonly Operation[], document: unknown): readonly Difference[] {
  const served = new Map(servedRoutes(document).map((route) => [route.operationId, route]));
  const listed = new Map(operations.filter(isInOpenApi).map((operation) => [operation.operationId, operation]));
  const differences: Difference[] = [];
  for (const route of served.values()) {
    const operation = listed.get(route.operationId);
    if (operation === undefined) differences.push({ kind: 'new', operationId: route.operationId, detail: signature(route) });
    else differences.push(...changes(operation, route));
  }
  for (const operation of listed.values()) {
    if (served.has(operation.operationId) || CONDITIONAL_OPERATIONS.includes(operation.operationId)) continue;
    differences.push({ kind: 'gone', operationId: operation.operationId, detail: signature(operation) });
  }
  return differences;
}

interface Route {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  readonly uuids: readonly string[];
}

function isInOpenApi(operation: Operation): boolean {
  return !/^(socket|ui|docs):/.test(operation.operationId);
}

function changes(operation: Operation, route: Route): readonly Difference[] {
  if (signature(operation) === signature(route)) return [];
  return [{ kind: 'changed', operationId: operation.operationId, detail: `${signature(operation)} is now ${signature(route)}` }];
}

function signature(route: Route): string {
  const uuids = [...route.uuids].sort().join(', ');
  return `${route.method} ${route.path}${uuids === '' ? '' : ` (UUID: ${uuids})`}`;
}

function servedRoutes(document: unknown): readonly Route[] {
  const paths = objectOf(objectOf(document)['paths']);
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(objectOf(item)).map(([method, operation]): Route => {
      const { operationId, parameters } = objectOf(operation);
      if (typeof operationId !== 'string') throw new TypeError(`no operationId at ${method} ${path}`);
      return { operationId, method: method.toUpperCase(), path: `/api${path}`, uuids: uuidParameters(parameters) };
    }),
  );
}

function uuidParameters(parameters: unknown): readonly string[] {
  if (!Array.isArray(parameters)) return [];
  return parameters.map(objectOf).flatMap(({ name, in: place, schema }) => {
    const isId = place === 'path' && objectOf(schema)['format'] === 'uuid';
    return isId && typeof name === 'string' ? [name] : [];
  });
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new TypeError('not an OpenAPI document');
  return Object.fromEntries(Object.entries(value));
}
