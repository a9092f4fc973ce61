// Notices that the session has ended, that it is there again, and that it is of another person.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { needsLogin } from '../api/problem.ts';
import { meQuery } from './session.ts';

const ASK_MS = 10_000;

/** A 401 of any request leads to a question about the session. While there is none, it is asked again: the login may be in another tab. */
export function useSessionWatch(): void {
  const client = useQueryClient();
  const { data: me, error } = useQuery({
    ...meQuery,
    refetchOnWindowFocus: 'always',
    refetchInterval: ({ state }) => (needsLogin(state.error) ? ASK_MS : false),
  });
  useEffect(
    () =>
      client.getQueryCache().subscribe(({ type, query }) => {
        if (type === 'updated' && query.queryKey[0] !== 'me' && needsLogin(query.state.error)) client.invalidateQueries({ queryKey: ['me'] });
      }),
    [client],
  );
  useReloadForOther(me?.principal);
  const ended = needsLogin(error);
  const wasEnded = useRef(ended);
  useEffect(() => {
    if (wasEnded.current && !ended) client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'me' });
    wasEnded.current = ended;
  }, [client, ended]);
}

/** Nothing of one person is shown to another: the same address is loaded with the rights of the new one. */
function useReloadForOther(principal: string | undefined): void {
  const first = useRef(principal);
  useEffect(() => {
    first.current ??= principal;
    if (principal !== first.current) location.reload();
  }, [principal]);
}
