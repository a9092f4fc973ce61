import { queryOptions, useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.ts';
import { can, useMe } from '../../app/session.ts';
import type { Seen } from './steps.ts';

/** Soon enough for a worker that connects while a person watches. */
const EVERY_MS = 3_000;

const loginsQuery = queryOptions({
  queryKey: ['start', 'logins'],
  queryFn: async ({ signal }) => (await answerOf(api.GET('/logins', { signal, params: { query: { limit: 5 } } }))).logins,
  refetchInterval: EVERY_MS,
});
const tokensQuery = queryOptions({
  queryKey: ['start', 'tokens'],
  queryFn: async ({ signal }) => (await answerOf(api.GET('/tokens', { signal }))).tokens,
  refetchInterval: EVERY_MS,
});
const workersQuery = queryOptions({
  queryKey: ['health'],
  queryFn: ({ signal }) => answerOf(api.GET('/health', { signal })),
  refetchInterval: EVERY_MS,
});
const runsQuery = queryOptions({
  queryKey: ['start', 'runs'],
  queryFn: async ({ signal }) => (await answerOf(api.GET('/runs', { signal }))).runs,
  refetchInterval: EVERY_MS,
});

/** What has happened at this gateway, as far as the person may know it. */
export function useSeen(): { readonly seen: Seen; readonly error: Error | null } {
  const me = useMe();
  const [mayAccess, mayHealth, mayRead] = [can(me, 'access.read'), can(me, 'gateway.read'), can(me, 'ledger.read')];
  const logins = useQuery({ ...loginsQuery, enabled: mayAccess });
  const tokens = useQuery({ ...tokensQuery, enabled: mayAccess });
  const health = useQuery({ ...workersQuery, enabled: mayHealth });
  const runs = useQuery({ ...runsQuery, enabled: mayRead });
  return {
    seen: { logins: logins.data ?? null, tokens: tokens.data ?? null, workers: health.data?.workers ?? null, runs: runs.data ?? null },
    error: logins.error ?? tokens.error ?? health.error ?? runs.error,
  };
}
