// A record of the ledger as the admin API shows it.
import { z } from 'zod';
import { CACHE_STATES, type LedgerRecord } from '../../../contract/record.ts';

const text = z.string().nullable();
const count = z.number().nullable();
const list = z.array(z.string()).readonly();

const grant = z.strictObject({ expires_at: text, members: list, networks: list, role: z.string(), rules: list, scope: text });

export const record = z
  .strictObject({
    id: z.string(),
    time: z.string(),
    request_id: text,
    principal: text,
    principal_kind: text,
    idp: text,
    credential_id: text,
    on_behalf_of: list,
    source_ip: text,
    user_agent: text,
    method: text,
    path: text,
    action: text,
    resource_type: text,
    resource_id: text,
    decision: z.enum(['allow', 'deny']).nullable(),
    reason: text,
    policies: list,
    status: count,
    bytes: count,
    duration_ms: count,
    upstream_ms: count,
    path_taken: z.enum(['direct', 'mediated', 'relay', 'egress']).nullable(),
    flow_run_id: text,
    task_run_id: text,
    deployment_id: text,
    run_binding: z.enum(['verified', 'asserted', 'none']),
    service: text,
    cache: z.enum(CACHE_STATES).nullable(),
    mode: z.enum(['enforce', 'observe']).nullable(),
    revision: count,
    session_id: text,
    grant_id: text,
    approval_id: text,
    tool: text,
    grants: z.array(grant).readonly().nullable(),
    redactions: count,
    node: z.string(),
    seq: z.number(),
    prev_hash: text,
    hash: text,
  })
  .meta({ id: 'Record' }) satisfies z.ZodType<LedgerRecord>;
