// Approvals of a period, from its records: who asked, who decided, and whether the request ran.
import type { Config } from '../../config/config.ts';
import { byWhom } from '../../contract/chain-words.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import type { ApprovalRow, ApprovalRuleRow } from './data.ts';
import type { Tally } from './tallies.ts';

/** The rules of lictor.yaml, and the agents whose sponsor approves each write of a tainted agent. */
export function approvalRules({ approvals, agents }: Pick<Config, 'approvals' | 'agents'>): readonly ApprovalRuleRow[] {
  const tainted = agents.filter(({ taint }) => taint === 'approve').map(({ name }) => `agent:${name}`);
  const rules = approvals.map(({ name, principals, actions, approvers }) => ({
    name,
    principals,
    actions,
    approvers: approvers === 'sponsor' ? ['sponsor'] : approvers,
  }));
  if (tainted.length === 0) return rules;
  return [...rules, { name: 'taint', principals: tainted, actions: ['every write after untrusted text'], approvers: ['sponsor'] }];
}

type Approval = { -readonly [Key in keyof ApprovalRow]: ApprovalRow[Key] };

export function tallyApprovals(most: number): Tally<readonly ApprovalRow[]> {
  const approvals = new Map<string, Approval>();
  let lost = 0;
  return {
    add(record) {
      const { approval_id: id } = record;
      if (id === null) return;
      const approval = approvals.get(id) ?? (approvals.size < most ? firstOf(id) : undefined);
      if (approval === undefined) {
        lost += 1;
        return;
      }
      approvals.set(id, approval);
      addTo(approval, record);
    },
    whole: () => [...approvals.values()],
    lost: () => lost,
  };
}

function firstOf(id: string): Approval {
  return { id, requested: null, requested_by: null, action: null, resource: null, decisions: [], used: null, status: null };
}

const DECISION = /^approval\.(approve|deny)$/;
const MOST_DECISIONS = 20;

function addTo(approval: Approval, record: LedgerRecord): void {
  const verb = DECISION.exec(record.action ?? '')?.[1];
  if (verb !== undefined) addDecision(approval, record, verb);
  else addRequest(approval, record);
}

/** A rejected decision counts as one too: who tried, and why it was rejected. */
function addDecision(approval: Approval, { time, principal, on_behalf_of: chain, decision, reason }: LedgerRecord, verb: string): void {
  const done = verb === 'approve' ? 'approved' : 'denied';
  const outcome = decision === 'deny' ? `rejected (${reason ?? 'undecided'})` : done;
  const row = { time, outcome, by: byWhom(principal ?? 'unknown', chain) };
  if (approval.decisions.length < MOST_DECISIONS) approval.decisions = [...approval.decisions, row];
}

function addRequest(approval: Approval, record: LedgerRecord): void {
  const { time, principal, on_behalf_of: chain, action, resource_type: type, resource_id: id, decision, status } = record;
  approval.requested ??= decision === 'deny' ? time : null;
  approval.requested_by ??= [principal ?? 'unknown', ...chain].join(' for ');
  approval.action ??= action;
  approval.resource ??= `${type ?? ''} ${id ?? ''}`.trim();
  if (decision !== 'allow') return;
  approval.used = time;
  approval.status = status;
}
