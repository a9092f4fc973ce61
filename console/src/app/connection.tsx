import { type QueryCache, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { isTemporary, needsLogin, Problem } from '../api/problem.ts';
import { LoginAgain } from '../parts/login-again.tsx';
import { meQuery } from './session.ts';

/** Above every view: the session has ended, or the gateway does not answer. The view below keeps its place and its text. */
export function Connection() {
  const { data: me, error } = useQuery(meQuery);
  const problem = useTemporaryProblem();
  return (
    <div role="status" className="connection">
      {me !== undefined && needsLogin(error) && <LoginAgain />}
      {problem !== undefined && (
        <p className="notice warning">
          <strong>{WORDS[problem.status] ?? 'The gateway does not answer.'}</strong> The console tries again by itself. What you see may be out of date.
        </p>
      )}
    </div>
  );
}

const WORDS: Readonly<Record<number, string>> = {
  429: 'Too many requests: the gateway asks to wait.',
  503: 'The gateway cannot answer now.',
};

/** Of a request that is tried again at the moment. */
function useTemporaryProblem(): Problem | undefined {
  const cache = useQueryClient().getQueryCache();
  return useSyncExternalStore(
    (onChange) => cache.subscribe(onChange),
    () => temporaryProblem(cache),
  );
}

function temporaryProblem(cache: QueryCache): Problem | undefined {
  for (const { state } of cache.findAll({ type: 'active' })) {
    const reason = state.fetchFailureReason;
    if (reason instanceof Problem && isTemporary(reason)) return reason;
  }
  return undefined;
}
