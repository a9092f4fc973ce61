// Budgets, runs and taints of agents, and approvals.
import type { ResourceType } from '../contract/operation.ts';
import type { UseKind } from './agent-uses.ts';
import { bigint, bigintOrNull, integer, key, table, text, textOrNull } from './table.ts';

export const AGENT_TABLES = {
  agent_uses: table(
    {
      agent: text(),
      kind: text<UseKind>(),
      at_ms: bigint(),
      amount: bigint(),
    },
    'constraint agent_uses_key primary key (agent, kind, at_ms)',
  ),
  agent_runs: table(
    {
      agent: text(),
      /** Prefect's id of the run, or an id that stands for a reserved one. */
      id: text(),
      /** The run of the agent that it is below; its own id: none. */
      root: text(),
      /** 1: the agent itself started it last, not a run. */
      own: integer<0 | 1>(),
      at_ms: bigint(),
      ended_ms: bigintOrNull(),
      /** 1: Prefect has not created it yet. */
      reserved: integer<0 | 1>(),
    },
    'constraint agent_runs_key primary key (agent, id)',
    'create index agent_runs_by_root on agent_runs (agent, root)',
  ),
  approvals: table(
    {
      id: key(),
      /** SHA-256 of what it is bound to, hexadecimal. */
      binding: text(),
      rule: text(),
      requested_by: text(),
      /** JSON list, nearest first. */
      on_behalf_of: text(),
      counted_for: text(),
      credential_id: text(),
      sponsor: textOrNull(),
      /** JSON list of members. */
      approvers: text(),
      action: text(),
      resource_type: text<ResourceType>(),
      resource_id: textOrNull(),
      resource_name: textOrNull(),
      /** JSON, bounded and without secrets. */
      shown_arguments: text(),
      arguments_hash: text(),
      revision: bigint(),
      life_ms: bigint(),
      state: text<'pending' | 'approved' | 'denied' | 'used'>(),
      created_ms: bigint(),
      expires_ms: bigint(),
      decided_by: textOrNull(),
      reason: text(),
    },
    'create index approvals_by_binding on approvals (binding, expires_ms)',
    'create index approvals_by_requester on approvals (counted_for, expires_ms)',
    'create index approvals_by_age on approvals (expires_ms)',
  ),
  taints: table({
    requester: key(),
    until_ms: bigint(),
  }),
};
