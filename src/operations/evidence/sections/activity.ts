// Denials, locks, break-glass accounts, and approvals (this version has none).
import { SUPPORTS } from '../controls.ts';
import type { DenialRow, EvidenceData } from '../data.ts';
import { count, minute, note, type Section, table } from '../document.ts';
import { eventRow } from './changes.ts';

export function denialsSection({ denials, activity }: EvidenceData): Section {
  return {
    id: 'denials',
    title: 'Requests and denials',
    supports: SUPPORTS.denials,
    lead: 'Every refusal has a stable reason (docs/reference/errors.md) and a request id, which lictor explain resolves to the policies and facts behind it. A request without a valid credential is listed as nobody known; a flood of such requests is counted in sums.',
    blocks: [
      {
        kind: 'facts',
        rows: [
          ['Requests', `${count(activity.requests)}, of which ${count(activity.allowed)} were allowed and ${count(activity.denied)} denied`],
          ['Logins', `${count(activity.logins)}; ${count(activity.failed_logins)} refused`],
          ['Of nobody known, counted in sums', count(activity.anonymous_in_sums)],
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
  return [principal ?? 'nobody known', reason, count(times), actions.length === 0 ? '-' : actions.join(', '), minute(first), minute(last), example ?? '-'];
}

export function incidentsSection({ locks, events }: EvidenceData): Section {
  const lockEvents = events.filter(({ action }) => action.startsWith('lock.'));
  const glass = events.filter(({ action }) => action === 'account.break_glass');
  return {
    id: 'incidents',
    title: 'Locks and break glass',
    supports: SUPPORTS.incidents,
    lead: 'A lock shuts out a principal, a session, an identity provider or an address from the next request on, and closes its sockets. A break-glass account lets an administrator in while every identity provider is away; it ends by itself. For one run in detail: lictor timeline RUN.',
    blocks: [
      ...table(
        ['Locked now', 'Since (UTC)', 'Until', 'By', 'Why'],
        locks.map((lock) => [lock.target, minute(lock.since), minute(lock.until), lock.by, lock.why === '' ? '-' : lock.why]),
        {
          empty: 'No lock holds now.',
        },
      ),
      ...table(['Time (UTC)', 'Lock', 'What', 'By', 'Outcome'], lockEvents.map(eventRow), { empty: 'No lock was set or taken away in the period.' }),
      ...table(['Time (UTC)', 'Break glass', 'Account', 'By', 'Outcome'], glass.map(eventRow), { empty: 'Break glass was not used in the period.' }),
    ],
  };
}

export function approvalsSection(): Section {
  return {
    id: 'approvals',
    title: 'Approvals',
    supports: SUPPORTS.approvals,
    lead: 'This version of Lictor has no approvals: no action waits for a second person, so there is nothing to show. Where a control asks for one (four eyes on changes), its evidence has to come from elsewhere, for example from the review of the repository that holds the policies.',
    blocks: [note('plain', 'Not available in this version.')],
  };
}
