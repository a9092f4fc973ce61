// Health and traffic, again every few seconds.
import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.ts';
import type { operations } from '../../api/schema.d.ts';

export type Health = operations['get_health']['responses'][200]['content']['application/json'];
export type Point = Health['edge']['points'][number];

export const healthQuery = queryOptions({
  queryKey: ['health'],
  queryFn: ({ signal }) => answerOf(api.GET('/health', { signal })),
  refetchInterval: 5_000,
});
