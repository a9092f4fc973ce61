// The shape of GET health.
import { z } from 'zod';
import { SHARED_STORE } from '../../../../contract/shared-store.ts';

const published = z
  .strictObject({
    read_at: z.string().nullable().describe('The last read that succeeded; null: none'),
    failed_at: z.string().nullable().describe('The last read that failed; null: none'),
    error: z.string().nullable().describe('Of the read that failed'),
  })
  .nullable();

const count = z.number();
const ms = z.number().nullable();

export const HEALTH = z.strictObject({
  status: z.enum(['ready', 'degraded', 'not-ready']),
  checks: z.array(z.strictObject({ name: z.string(), ok: z.boolean() })).describe('Those of /.lictor/ready'),
  nodes: z.array(
    z.strictObject({
      name: z.string(),
      version: z.string(),
      revision: count,
      started_at: z.string(),
      memory_bytes: count,
      cpu_seconds: count,
      sockets: count,
    }),
  ),
  shared_store: SHARED_STORE.nullable().describe('The nodes with this Postgres store; null: the store is SQLite'),
  edge: z.strictObject({
    since: z.string().nullable().describe('The begin of the counted minutes; null: the ledger could not be read'),
    ...{ requests: count, denied: count, failed: count },
    requests_total: count.describe('Requests since a client reads this'),
    decisions_total: count.describe('Decisions of the control plane since a client reads this. The cache of the edge answered the others'),
    decision_p50_ms: ms,
    decision_p95_ms: ms,
    interval_seconds: count,
    points: z.array(z.strictObject({ at: z.string(), requests: count, denied: count, failed: count, p50_ms: ms, p95_ms: ms })).readonly(),
  }),
  identity_providers: z.array(z.strictObject({ id: z.string(), type: z.string(), metadata: published, keys: published })),
  prefect_servers: z.array(
    z.strictObject({
      url: z.string(),
      state: z.enum(['usable', 'refuses', 'slow', 'away']),
      version: z.string().nullable(),
      latency_ms: ms,
    }),
  ),
  workers: z.array(
    z.strictObject({
      name: z.string().nullable().describe('Null: a worker without a channel announces no name here'),
      pool: z.string(),
      principal: z.string(),
      version: z.string().nullable(),
      connected_at: z.string().nullable().describe('Null: it reports over HTTP'),
      last_seen_at: z.string(),
    }),
  ),
  services: z.array(
    z.strictObject({
      name: z.string(),
      ...{ calls: count, denied: count, failed: count, cache_hits: count, cacheable: count },
      p95_ms: ms,
    }),
  ),
  principals: z
    .array(z.strictObject({ principal: z.string(), kind: z.string().nullable(), requests: count, denied: count, failed: count, last_at: z.string() }))
    .readonly(),
  ledger: z.strictObject({
    healthy: z.boolean(),
    newest_at: z.string().nullable(),
    sealed_at: z.string().nullable(),
    unread_bytes: z.number().nullable().describe('Of the access log, not in the ledger yet'),
    events_behind_seconds: z.number().nullable(),
    sinks: z.array(z.strictObject({ name: z.string(), lag_records: count, oldest_at: z.string().nullable(), failing: z.boolean() })),
  }),
});

export type Health = z.input<typeof HEALTH>;
