import { useQuery } from '@tanstack/react-query';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Tag } from '../../parts/tag.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { LastUse } from './cells.tsx';
import { type Agent, agentsQuery } from './data.ts';
import { Listed } from './listed.tsx';
import { LockButton } from './token-buttons.tsx';
import { shownColumns, useOpenDetail } from './use-open-detail.ts';
import { Who } from './who.tsx';

const COLUMNS: readonly Column<Agent>[] = [
  { name: 'name', title: 'Agent', cell: (agent) => <Name agent={agent} /> },
  { name: 'sponsor', title: 'Sponsor', cell: ({ sponsor }) => <Who id={sponsor} /> },
  { name: 'credential', title: 'Credential', cell: ({ credential }) => <UntrustedText text={credential} longest={80} /> },
  { name: 'budgets', title: 'Budgets used', cell: ({ budgets }) => <Budgets budgets={budgets} /> },
  { name: 'call', title: 'Last call', cell: ({ last_call_at: at }) => <LastUse at={at} from={null} /> },
  { name: 'runs', title: 'Runs', isNumber: true, cell: ({ runs_in_progress: runs }) => runs },
  { name: 'waits', title: 'Waiting', isNumber: true, cell: ({ pending_approvals: waiting }) => waiting },
  { name: 'do', title: '', cell: ({ principal, stopped }) => <LockButton id={principal} isLocked={stopped !== null} words={['Stop', 'Resume']} /> },
];

export function Agents() {
  const query = useQuery(agentsQuery);
  const agents = query.data?.agents ?? [];
  const { selected, onSelect } = useOpenDetail();
  return (
    <Listed query={query} isEmpty={agents.length === 0} empty={<NoAgents />}>
      <DataTable
        label="Agents"
        columns={shownColumns(COLUMNS, selected)}
        rows={agents}
        keyOf={({ principal }) => principal}
        selected={selected}
        onSelect={({ principal }) => onSelect({ id: principal })}
      />
    </Listed>
  );
}

function Name({ agent: { name, principal, stopped, tainted_until: taint } }: { readonly agent: Agent }) {
  return (
    <>
      <Who id={principal} name={name} /> {stopped !== null && <Tag tone="bad">stopped</Tag>} {taint !== null && <Tag tone="warn">tainted</Tag>}
    </>
  );
}

function Budgets({ budgets }: { readonly budgets: Agent['budgets'] }) {
  const all = Object.entries(budgets);
  if (all.length === 0) return <span className="muted">none</span>;
  return all.map(([name, { used, most }]) => (
    <span key={name} className="under">
      {name} {used === null ? most : `${used} of ${most}`}
    </span>
  ));
}

function NoAgents() {
  return (
    <EmptyState title="No agents">
      <p>An AI agent gets its sponsor, roles and budgets in lictor.yaml:</p>
      <code>{'agents: [{ name: copilot, sponsor: "user:alice@corp", credential: token, roles: [{ role: agent }] }]'}</code>
    </EmptyState>
  );
}
