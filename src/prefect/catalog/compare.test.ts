import { describe, expect, it } from 'vitest';
import { compareWithOpenApi } from './compare.ts';
import { OPERATIONS } from './operations.ts';

const flow = OPERATIONS.filter(({ operationId }) => operationId === 'read_flow_flows__id__get');

function documentWith(path: string, method: string, operationId: string, format = 'uuid'): unknown {
  return { paths: { [path]: { [method]: { operationId, parameters: [{ name: 'id', in: 'path', schema: { type: 'string', format } }] } } } };
}

describe('comparing with an OpenAPI document', () => {
  it('finds nothing when id, method, path and kind of id agree', () => {
    expect(compareWithOpenApi(flow, documentWith('/flows/{id}', 'get', 'read_flow_flows__id__get'))).toEqual([]);
  });

  it.each([
    ['another path', documentWith('/flow/{id}', 'get', 'read_flow_flows__id__get')],
    ['another method', documentWith('/flows/{id}', 'post', 'read_flow_flows__id__get')],
    ['an id that is no longer a UUID', documentWith('/flows/{id}', 'get', 'read_flow_flows__id__get', 'name')],
  ])('finds %s', (_what, document) => {
    expect(compareWithOpenApi(flow, document)).toEqual([expect.objectContaining({ kind: 'changed', operationId: 'read_flow_flows__id__get' })]);
  });

  it('finds a new route and one that is gone', () => {
    const kinds = compareWithOpenApi(flow, documentWith('/secrets/{id}', 'get', 'read_secrets')).map(({ kind }) => kind);
    expect(kinds).toEqual(['new', 'gone']);
  });

  it('does not expect sockets, UI, docs and conditional routes in the document', () => {
    const outside = OPERATIONS.filter(({ operationId }) => /^(socket|ui|docs):|^metrics_|^pid_/.test(operationId));
    expect(outside.length).toBeGreaterThan(15);
    expect(compareWithOpenApi(outside, { paths: {} })).toEqual([]);
  });

  it('refuses what is no OpenAPI document', () => {
    expect(() => compareWithOpenApi(flow, null)).toThrow(TypeError);
    expect(() => compareWithOpenApi(flow, { paths: { '/x': { get: {} } } })).toThrow(TypeError);
  });
});
