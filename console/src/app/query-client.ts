// Requests of the console: what passes is tried again, what does not is shown.
import { QueryClient } from '@tanstack/react-query';
import { isTemporary, waitMs } from '../api/problem.ts';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // The browser's own idea of being online is wrong for a gateway on this machine or behind a VPN.
      networkMode: 'always',
      retry: (_count, error) => isTemporary(error),
      retryDelay: waitMs,
      staleTime: 5_000,
    },
    // A write is never repeated by itself: whether it took effect is unknown.
    mutations: { networkMode: 'always', retry: false },
  },
});
