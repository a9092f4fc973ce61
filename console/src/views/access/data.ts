// Questions about rights to the API.
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.ts';
import type { operations } from '../../api/schema.d.ts';
import type { Explained } from '../../parts/explanation.tsx';
import { aboutOf } from './states.ts';

type Answer<Operation extends keyof operations> = operations[Operation] extends { responses: { 200: { content: { 'application/json': infer Body } } } }
  ? Body
  : never;

export type Matrix = Answer<'get_access_matrix'>;
export type MatrixRow = Matrix['rows'][number];
export type State = MatrixRow['cells'][number];
export type WhoLine = Answer<'get_access'>['lines'][number];
export type UnusedLine = Answer<'get_access_unused'>['lines'][number];

export interface MatrixQuestion {
  readonly rows: 'roles' | 'principals';
  readonly q: string;
  readonly about: string;
  readonly cursor: string;
}

export function matrixQuery({ rows, q, about, cursor }: MatrixQuestion) {
  const query = { rows, ...(q !== '' && { q }), ...(cursor !== '' && { cursor }), ...aboutOf(about) };
  return queryOptions({
    queryKey: ['access', 'matrix', query],
    queryFn: ({ signal }) => answerOf(api.GET('/access/matrix', { signal, params: { query } })),
    placeholderData: keepPreviousData,
  });
}

export function whoCanQuery({ action, resource, cursor }: { readonly action: string; readonly resource: string; readonly cursor: string }) {
  const query = { action, ...(resource !== '' && { resource }), ...(cursor !== '' && { cursor }) };
  return queryOptions({
    queryKey: ['access', 'who', query],
    queryFn: ({ signal }) => answerOf(api.GET('/access', { signal, params: { query } })),
    enabled: action !== '',
  });
}

export function unusedQuery(since: string) {
  return queryOptions({
    queryKey: ['access', 'unused', since],
    queryFn: ({ signal }) => answerOf(api.GET('/access/unused', { signal, params: { query: { since } } })),
    // Each answer counts for a second or two.
    refetchInterval: ({ state: { data } }) => (data?.counted_to == null ? false : 100),
  });
}

export function explainQuery({ principal, action, about }: { readonly principal: string; readonly action: string; readonly about: string }) {
  return queryOptions({
    queryKey: ['access', 'explain', principal, action, about],
    queryFn: ({ signal }) => answerOf(api.GET('/explain', { signal, params: { query: { principal, action, ...aboutOf(about) } } })),
  });
}

export function explainRequest(body: { readonly principal: string; readonly request: string }): Promise<Explained> {
  return answerOf(api.POST('/explain/request', { body }));
}
