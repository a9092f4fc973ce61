// Denials, locks, break-glass accounts, and approvals.
import { SUPPORTS } from '../controls.ts';
import type { ApprovalRow, DenialRow, EvidenceData } from '../data.ts';
import { count, minute, type Section, table } from '../document.ts';
import { eventRow } from './changes.ts';

export function denialsSection({ denials, activity }: EvidenceData): Section {
  return {
    id: 'denials',
    title: 'Requests and denials',
    supports: SUPPORTS.denials,
    lead: 'Every denial has a stable reason (docs/reference/errors.md) and a request id. lictor explain shows the policies and facts behind it. A request without a valid credential is listed as anonymous. A flood of such requests has summary records with a count.',
    blocks: [
      {
        kind: 'facts',
        rows: [
          ['Requests', `${count(activity.requests)}, of which ${count(activity.allowed)} were allowed and ${count(activity.denied)} denied`],
          ['Logins', `${count(activity.logins)}; ${count(activity.failed_logins)} denied`],
          ['Anonymous requests in summary records', count(activity.anonymous_in_sums)],
        ],
      },
      { kind: 'days', days: activity.days },
      ...table(
        ['Reason', 'Denials'],
        denials.by_reason.map(({ reason, count: times }) => [reason, count(times)]),
        { empty: 'Nothing was denied in the period.', numbers: [1] },
      ),
      ...table(['Principal or credential', 'Reason', 'Denials', 'Actions, for example', 'First', 'Last', 'A request'], denials.by_principal.map(denialRow), {
        empty: 'No request was denied.',
        numbers: [2],
      }),
    ],
  };
}

function denialRow({ principal, reason, count: times, actions, first, last, example }: DenialRow): readonly string[] {
  return [principal ?? 'anonymous', reason, count(times), actions.length === 0 ? '-' : actions.join(', '), minute(first), minute(last), example ?? '-'];
}

export function incidentsSection({ locks, events }: EvidenceData): Section {
  const lockEvents = events.filter(({ action }) => action.startsWith('lock.'));
  const glass = events.filter(({ action }) => action === 'account.break_glass');
  return {
    id: 'incidents',
    title: 'Locks and break glass',
    supports: SUPPORTS.incidents,
    lead: 'A lock denies every further request of a principal, a session, an identity provider or an address, and closes its sockets. A break-glass account lets an administrator log in while every identity provider is away. It expires. For one run in detail: lictor timeline RUN.',
    blocks: [
      ...table(
        ['Locked now', 'Since (UTC)', 'Until', 'By', 'Why'],
        locks.map((lock) => [lock.target, minute(lock.since), minute(lock.until), lock.by, lock.why === '' ? '-' : lock.why]),
        {
          empty: 'No lock is active.',
        },
      ),
      ...table(['Time (UTC)', 'Lock', 'What', 'By', 'Outcome'], lockEvents.map(eventRow), { empty: 'No lock was set or removed in the period.' }),
      ...table(['Time (UTC)', 'Break glass', 'Account', 'By', 'Outcome'], glass.map(eventRow), { empty: 'No break-glass account was used in the period.' }),
    ],
  };
}

export function approvalsSection({ approvals: { rules, requests } }: EvidenceData): Section {
  return {
    id: 'approvals',
    title: 'Approvals',
    supports: SUPPORTS.approvals,
    lead: 'A rule holds a permitted request until a person approves it. The approval lets exactly that request run once. The requester does not decide; a sponsor decides for an agent. local:NAME decided on the machine, where the rules for approvers do not apply. If two rules held a request, its run is listed with one of the approvals. A client that acts for a person over MCP needs that person for writes after untrusted text, without a rule.',
    blocks: [
      ...table(
        ['Rule', 'Whose requests', 'Actions', 'Approvers'],
        rules.map(({ name, principals, actions, approvers }) => [name, principals.join(', '), actions.join(', '), approvers.join(', ')]),
        { empty: 'No rule asks for approvals at the time of this report.' },
      ),
      ...table(['Requested (UTC)', 'By', 'Action', 'What', 'Decision', 'Ran (UTC)', 'Status', 'Approval'], requests.map(approvalRow), {
        empty: 'No request waited for an approval in the period, and nobody decided one.',
      }),
    ],
  };
}

function approvalRow({ id, requested, requested_by, action, resource, decisions, used, status }: ApprovalRow): readonly string[] {
  const decided = decisions.map(({ time, outcome, by }) => `${outcome} by ${by}, ${minute(time)}`).join('; ');
  return [minute(requested), requested_by ?? '-', action ?? '-', resource ?? '-', decided === '' ? 'none' : decided, minute(used), String(status ?? '-'), id];
}
