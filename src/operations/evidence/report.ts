// Data -> the report: its head, and the sections in their order. Pure.
import type { EvidenceData } from './data.ts';
import { count, type Document, minute, several, type Tile } from './document.ts';
import { accessSection, isIdle, unusedSection } from './sections/access.ts';
import { approvalsSection, denialsSection, incidentsSection } from './sections/activity.ts';
import { changesSection } from './sections/changes.ts';
import { lifecycleSection, tokensSection } from './sections/credentials.ts';
import { authenticationSection, boundarySection, coverageSection, outsideSection, softwareSection } from './sections/gateway.ts';
import { isProven, ledgerSection } from './sections/ledger.ts';

export function reportOf(data: EvidenceData): Document {
  const { period, made, gateway } = data;
  return {
    title: 'Access review and audit evidence',
    subtitle: gateway.public_url,
    facts: [
      ['Period', periodText(period)],
      ['Made', `${minute(made.at)} UTC by ${made.by}`],
      ['Gateway', `Lictor ${gateway.lictor} in front of a self-hosted Prefect server`],
      ['Basis', `${several(data.activity.records, 'record')} of the ledger in the period; rights, tokens and settings at the time of this report`],
    ],
    tiles: tiles(data),
    sections: [
      accessSection(data),
      unusedSection(data),
      lifecycleSection(data),
      authenticationSection(data),
      tokensSection(data),
      changesSection(data),
      denialsSection(data),
      incidentsSection(data),
      approvalsSection(data),
      ledgerSection(data),
      boundarySection(data),
      softwareSection(data),
      outsideSection(data),
      coverageSection(data),
    ],
  };
}

function periodText({ from, to, ends }: EvidenceData['period']): string {
  const covered = `${minute(from)} to ${minute(to)} UTC, end excluded`;
  return to < ends ? `${covered}. The period is not over: it ends ${minute(ends)}, and this report ends when it was made` : covered;
}

function tiles(data: EvidenceData): readonly Tile[] {
  const { principals, activity, leavers, ledger } = data;
  const live = principals.filter(({ status, roles }) => status === 'live' && roles.length > 0);
  const admins = live.filter(({ roles }) => roles.some(({ role }) => role === 'admin'));
  const idle = live.filter(isIdle);
  const late = leavers.filter(({ let_in_after: after }) => after);
  const proven = isProven(ledger);
  return [
    {
      label: 'Ledger',
      value: proven ? 'unchanged' : 'not proven',
      detail: proven ? `${several(recordsIn(data), 'record')} verified` : 'see section 10',
      tone: proven ? 'good' : 'bad',
    },
    { label: 'Principals with rights', value: count(live.length), detail: `${several(admins.length, 'administrator')}`, tone: 'plain' },
    { label: 'Not used in the period', value: count(idle.length), detail: 'of those with rights', tone: idle.length === 0 ? 'good' : 'warn' },
    { label: 'Requests', value: count(activity.requests), detail: `${count(activity.denied)} denied`, tone: 'plain' },
    { label: 'Used after removal', value: count(late.length), detail: `of ${several(leavers.length, 'removal')}`, tone: late.length === 0 ? 'good' : 'bad' },
  ];
}

function recordsIn({ ledger }: EvidenceData): number {
  return (ledger.report?.chains ?? []).reduce((sum, { records }) => sum + records, 0);
}
