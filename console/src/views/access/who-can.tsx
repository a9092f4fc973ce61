import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useChangeUrl, useUrlValues } from '../../app/url-state.ts';
import { Button } from '../../parts/button.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { Checkbox, TextField } from '../../parts/fields.tsx';
import { DecisionTag } from '../../parts/tag.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { ViewLoading } from '../../parts/view-loading.tsx';
import { type WhoLine, whoCanQuery } from './data.ts';

const COLUMNS: readonly Column<WhoLine>[] = [
  {
    name: 'principal',
    title: 'Principal',
    cell: ({ principal }) => (
      <span className="access-name">
        <UntrustedText text={principal} />
      </span>
    ),
  },
  {
    name: 'decision',
    title: 'Decision',
    cell: ({ allowed, with_approval }) => <DecisionTag decision={allowed ? (with_approval ? 'approval' : 'allow') : 'deny'} />,
  },
  { name: 'role', title: 'Role', cell: ({ role, allowed }) => <span className="access-role">{role ?? (allowed ? 'own policy' : '-')}</span> },
  { name: 'scope', title: 'On', cell: ({ scope, allowed }) => (allowed ? <UntrustedText text={scope ?? 'everything'} /> : '-') },
  {
    name: 'why',
    title: 'By',
    cell: ({ policies, allowed, reason }) => <span className="mono whole-words">{allowed ? policies.join(', ') : [reason, ...policies].join(', ')}</span>,
  },
];

/** Who can do one action, on one object or on all. */
export function WhoCanTab() {
  const { action = 'flow_runs.cancel', resource = '', denied = '', after = '' } = useUrlValues();
  const change = useChangeUrl();
  const { data, error, isLoading } = useQuery(whoCanQuery({ action, resource, cursor: after }));
  const lines = data?.lines.filter(({ allowed }) => allowed || denied !== '') ?? [];
  return (
    <div className="stack">
      <Question key={`${action} ${resource}`} action={action} resource={resource} onAsk={(asked) => change({ ...asked, after: '' })} />
      <Checkbox label="Also show who may not" isOn={denied !== ''} onChange={(isOn) => change({ denied: isOn ? '1' : '' }, { replace: true })} />
      {error !== null && <ErrorNotice error={error} />}
      {isLoading && <ViewLoading />}
      {data?.absent != null && <EmptyState title={data.absent} />}
      {data?.absent === null && lines.length === 0 && <EmptyState title="No principal on this page may do this." />}
      {lines.length > 0 && <DataTable label="Who can" columns={COLUMNS} rows={lines} keyOf={({ principal, role, scope }) => `${principal} ${role} ${scope}`} />}
      {data?.next != null && (
        <div className="row">
          <Button onPress={() => change({ after: data.next ?? '' })}>Next principals</Button>
        </div>
      )}
    </div>
  );
}

interface QuestionProps {
  readonly action: string;
  readonly resource: string;
  readonly onAsk: (question: { readonly action: string; readonly resource: string }) => void;
}

function Question({ onAsk, ...asked }: QuestionProps) {
  const [action, setAction] = useState(asked.action);
  const [resource, setResource] = useState(asked.resource);
  return (
    <form
      className="access-filters"
      onSubmit={(event) => {
        event.preventDefault();
        onAsk({ action: action.trim(), resource: resource.trim() });
      }}
    >
      <TextField label="Action" value={action} placeholder="flow_runs.cancel" required onChange={setAction} />
      <TextField label="Object (empty: any)" value={resource} placeholder="ID, FLOW/NAME or TYPE:ID" onChange={setResource} />
      <Button submits kind="primary">
        Ask
      </Button>
    </form>
  );
}
