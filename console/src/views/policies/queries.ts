// The questions of this view to the gateway.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.ts';
import type { Files } from './draft.ts';

export const policiesQuery = queryOptions({
  queryKey: ['policies', 'in-force'],
  queryFn: ({ signal }) => answerOf(api.GET('/policies', { signal })),
  // Another person may apply a set meanwhile.
  refetchInterval: 15_000,
});

/** A revision never changes. Revision 0 is that there were no own policies. */
export function revisionQuery(revision: number) {
  return queryOptions({
    queryKey: ['policies', 'revision', revision],
    queryFn: async ({ signal }): Promise<Files> =>
      revision === 0 ? {} : (await answerOf(api.GET('/policies/revisions/{revision}', { params: { path: { revision: `${revision}` } }, signal }))).files,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function diffQuery(from: number, to: number) {
  return queryOptions({
    queryKey: ['policies', 'diff', from, to],
    queryFn: ({ signal }) => answerOf(api.GET('/policies/diff', { params: { query: { from: `${from}`, to: `${to}` } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export const historyQuery = infiniteQueryOptions({
  queryKey: ['policies', 'history'],
  queryFn: ({ pageParam, signal }) =>
    answerOf(api.GET('/policies/history', { params: { query: { limit: '50', ...(pageParam && { cursor: pageParam }) } }, signal })),
  initialPageParam: '',
  getNextPageParam: ({ next }) => next,
});

/** `inForce`: the difference in the report is to that revision. */
export function reportQuery(files: Files, inForce: number) {
  return queryOptions({
    queryKey: ['policies', 'report', inForce, files],
    queryFn: ({ signal }) => answerOf(api.POST('/policies/check', { body: { files: { ...files } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    placeholderData: keepPreviousData,
  });
}
