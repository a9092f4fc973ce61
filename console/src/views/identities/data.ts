// What this view asks the API for. Every key begins with `identities`, so that a change asks for all of it again.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.ts';
import type { components, paths } from '../../api/schema.d.ts';

export type Principal = components['schemas']['Principal'];
export type RoleOrigin = components['schemas']['RoleOrigin'];
export type Token = components['schemas']['ServiceToken'];
export type Session = components['schemas']['Session'];
export type Login = components['schemas']['ClientLogin'];
export type AccessToken = components['schemas']['AccessToken'];
export type Lock = components['schemas']['Lock'];

type Answer<Path extends keyof paths> = paths[Path] extends { get: { responses: { 200: { content: { 'application/json': infer Body } } } } } ? Body : never;
export type Detail = Answer<'/principals/detail'>;
export type Group = Answer<'/groups'>['groups'][number];
export type Socket = Answer<'/sockets'>['sockets'][number];
export type Agent = Answer<'/agents'>['agents'][number];

export const KEY = 'identities';
const PAGE = 100;
/** The most that one answer may have: more tokens than this are rare. */
const WHOLE = 500;

const first: string | undefined = undefined;
const nextOf = ({ next }: { readonly next: string | null }): string | undefined => next ?? undefined;

export const peopleQuery = (text: string) =>
  infiniteQueryOptions({
    queryKey: [KEY, 'people', text],
    // While a person types, the rows of the text before stay.
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam, signal }) =>
      answerOf(
        api.GET('/principals', { params: { query: { kind: 'user', q: text, limit: PAGE, ...(pageParam !== undefined && { cursor: pageParam }) } }, signal }),
      ),
    initialPageParam: first,
    getNextPageParam: nextOf,
  });

export const groupsQuery = queryOptions({
  queryKey: [KEY, 'groups'],
  queryFn: ({ signal }) => answerOf(api.GET('/groups', { params: { query: { limit: WHOLE } }, signal })),
});

export const tokensQuery = infiniteQueryOptions({
  queryKey: [KEY, 'tokens'],
  queryFn: ({ pageParam, signal }) =>
    answerOf(api.GET('/tokens', { params: { query: { state: 'current', limit: WHOLE, ...(pageParam !== undefined && { cursor: pageParam }) } }, signal })),
  initialPageParam: first,
  getNextPageParam: nextOf,
});

export const accessTokensQuery = queryOptions({
  queryKey: [KEY, 'access-tokens'],
  queryFn: ({ signal }) => answerOf(api.GET('/access-tokens', { params: { query: { limit: WHOLE } }, signal })),
});

export const agentsQuery = queryOptions({ queryKey: [KEY, 'agents'], queryFn: ({ signal }) => answerOf(api.GET('/agents', { signal })) });

export const sessionsQuery = infiniteQueryOptions({
  queryKey: [KEY, 'sessions'],
  queryFn: ({ pageParam, signal }) =>
    answerOf(api.GET('/sessions', { params: { query: { limit: PAGE, ...(pageParam !== undefined && { cursor: pageParam }) } }, signal })),
  initialPageParam: first,
  getNextPageParam: nextOf,
});

export const loginsQuery = queryOptions({
  queryKey: [KEY, 'logins'],
  queryFn: ({ signal }) => answerOf(api.GET('/logins', { params: { query: { limit: WHOLE } }, signal })),
});

export const mySessionsQuery = queryOptions({ queryKey: [KEY, 'mine'], queryFn: ({ signal }) => answerOf(api.GET('/me/sessions', { signal })) });

export const locksQuery = queryOptions({
  queryKey: [KEY, 'locks'],
  queryFn: ({ signal }) => answerOf(api.GET('/locks', { params: { query: { limit: WHOLE } }, signal })),
});

export const socketsQuery = (principal: string) =>
  queryOptions({
    queryKey: [KEY, 'sockets', principal],
    queryFn: ({ signal }) => answerOf(api.GET('/sockets', { params: { query: { limit: WHOLE, principal } }, signal })),
  });

export const detailQuery = (id: string) =>
  queryOptions({ queryKey: [KEY, 'detail', id], queryFn: ({ signal }) => answerOf(api.GET('/principals/detail', { params: { query: { id } }, signal })) });
