import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../api/client.ts';

/** A recorded request, and the same question decided now. */
export function useRevisited(requestId: string) {
  return useQuery({
    queryKey: ['explain-request', requestId],
    queryFn: ({ signal }) => answerOf(api.GET('/explain/requests/{id}', { params: { path: { id: requestId } }, signal })),
  });
}
