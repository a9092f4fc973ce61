import { type Column, DataTable } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Tag } from '../../parts/tag.tsx';
import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { Chain } from './chain.tsx';
import type { Approval } from './queries.ts';
import { TimeLeft } from './time-left.tsx';
import { argumentsWords, objectOf, stateWords } from './words.ts';

interface ListProps {
  readonly approvals: readonly Approval[];
  readonly isDecided: boolean;
  readonly selected: string | undefined;
  readonly onSelect: (id: string) => void;
  readonly now: number;
}

export function ApprovalList({ approvals, isDecided, selected, onSelect, now }: ListProps) {
  if (approvals.length === 0) return isDecided ? <NothingDecided /> : <NothingWaits />;
  return (
    <DataTable
      label={isDecided ? 'Decided requests' : 'Waiting requests'}
      columns={columnsOf({ isDecided, onSelect, now })}
      rows={approvals}
      keyOf={({ id }) => id}
      selected={selected}
      onSelect={({ id }) => onSelect(id)}
    />
  );
}

function columnsOf({ isDecided, onSelect, now }: Pick<ListProps, 'isDecided' | 'onSelect' | 'now'>): readonly Column<Approval>[] {
  const what: Column<Approval> = {
    name: 'what',
    title: 'Request',
    cell: (approval) => (
      <>
        <button type="button" className="row-link" onClick={() => onSelect(approval.id)}>
          {approval.action_text} <UntrustedText text={objectOf(approval)} longest={80} />
        </button>
        <span className="row-more">
          <UntrustedText text={argumentsWords(approval.arguments)} longest={90} />
        </span>
      </>
    ),
  };
  const who: Column<Approval> = { name: 'who', title: 'Requested by', cell: (approval) => <Chain approval={approval} /> };
  return isDecided ? [what, who, ...DECIDED] : [what, who, ...waitingColumns(now)];
}

function waitingColumns(now: number): readonly Column<Approval>[] {
  return [
    { name: 'left', title: 'Time left', cell: (approval) => <TimeLeft approval={approval} now={now} /> },
    {
      name: 'you',
      title: 'Decides',
      cell: ({ may_decide: may }) =>
        may.allowed ? <Tag tone="info">you</Tag> : <span className="muted">{may.reason === 'approval-over' ? 'nobody any more' : 'another person'}</span>,
    },
  ];
}

const DECIDED: readonly Column<Approval>[] = [
  {
    name: 'state',
    title: 'State',
    cell: ({ state }) => {
      const [tone, text] = stateWords(state);
      return <Tag tone={tone}>{text}</Tag>;
    },
  },
  { name: 'by', title: 'Decided by', cell: ({ decided_by: by }) => (by === null ? <span className="muted">nobody</span> : <UntrustedText text={by} />) },
  { name: 'at', title: 'Requested', cell: ({ requested_at: at }) => <Time iso={at} relative /> },
];

function NothingWaits() {
  return (
    <EmptyState title="No request waits">
      <p>
        A request waits here when a rule in <code>approvals</code> of lictor.yaml holds it. It shows up while you look, with its arguments beside the usual
        ones.
      </p>
      <p className="muted">A rule names principals, actions and approvers. The sponsor of an agent decides about its requests without being named.</p>
    </EmptyState>
  );
}

function NothingDecided() {
  return (
    <EmptyState title="No request was decided in the last day">
      <p>Decided and expired requests stay here for a day. The ledger has the records of older ones.</p>
    </EmptyState>
  );
}
