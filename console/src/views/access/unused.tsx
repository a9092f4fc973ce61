import { useQuery } from '@tanstack/react-query';
import { useUrlState } from '../../app/url-state.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { SelectField } from '../../parts/fields.tsx';
import { fractionOf } from '../../parts/fraction.ts';
import { Tag } from '../../parts/tag.tsx';
import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { ViewLoading } from '../../parts/view-loading.tsx';
import { type UnusedLine, unusedQuery } from './data.ts';

const COLUMNS: readonly Column<UnusedLine>[] = [
  {
    name: 'principal',
    title: 'Principal',
    cell: ({ principal }) => (
      <span className="access-name">
        <UntrustedText text={principal} />
      </span>
    ),
  },
  { name: 'role', title: 'Role', cell: ({ role, scope }) => (scope === null ? role : <UntrustedText text={`${role} on ${scope}`} />) },
  { name: 'used', title: 'Actions used', cell: ({ used, actions }) => <span title={used.join(', ')}>{`${used.length} of ${actions}`}</span>, isNumber: true },
  { name: 'groups', title: 'Kinds never used', cell: ({ unused_groups }) => (unused_groups.length === 0 ? 'none' : unused_groups.join(', ')) },
  {
    name: 'last',
    title: 'Last request',
    cell: ({ last_request }) => (last_request === null ? <Tag tone="warn">none</Tag> : <Time iso={last_request} relative />),
  },
  { name: 'enough', title: 'Enough would be', cell: enough },
];

function enough({ used, role, would_suffice: smaller }: UnusedLine): string {
  if (used.length === 0) return 'no role: nothing was used';
  if (smaller === null) return 'no single role';
  return smaller === role ? 'this role' : smaller;
}

/** Roles compared with the requests of a period. Those that nobody used come first. */
export function UnusedTab() {
  const [since, setSince] = useUrlState('since', '90d');
  const { data, error } = useQuery(unusedQuery(since));
  const rows = data?.lines.toSorted((a, b) => a.used.length - b.used.length || a.requests - b.requests);
  return (
    <div className="stack">
      <div className="access-filters">
        <SelectField
          label="Period"
          value={since}
          onChange={(value) => setSince(value)}
          options={[
            { value: '7d', text: 'Last 7 days' },
            { value: '30d', text: 'Last 30 days' },
            { value: '90d', text: 'Last 90 days' },
            { value: '365d', text: 'Last year' },
          ]}
        />
      </div>
      {error !== null && <ErrorNotice error={error} />}
      {rows === undefined && error === null && <ViewLoading />}
      {data?.counted_to != null && <Counting since={data.since} to={data.counted_to} />}
      {data?.counted_to === null && rows?.length === 0 && <EmptyState title="No principal has a role yet." />}
      {rows !== undefined && rows.length > 0 && (
        <DataTable label="Use of roles" columns={COLUMNS} rows={rows} keyOf={({ principal, role, scope }) => `${principal} ${role} ${scope}`} />
      )}
    </div>
  );
}

function Counting({ since, to }: { readonly since: string; readonly to: string }) {
  const fraction = fractionOf({ since, through: to, until: new Date().toISOString() });
  return (
    <div className="notice">
      <p role="status">Still counting: {Math.round(fraction * 100)} % of the time is counted.</p>
      <progress max={1} value={fraction} aria-label="Counting" />
    </div>
  );
}
