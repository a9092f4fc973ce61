import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { Roles } from './cells.tsx';
import { type Group, groupsQuery } from './data.ts';
import { Listed } from './listed.tsx';

const KNOWN_BY: Readonly<Record<Group['known_by'], string>> = { scim: 'SCIM', login: 'logins', configuration: 'lictor.yaml only' };

const COLUMNS: readonly Column<Group>[] = [
  { name: 'name', title: 'Group', cell: ({ name }) => <UntrustedText text={name} longest={120} /> },
  { name: 'idp', title: 'Provider', cell: ({ idp }) => idp },
  { name: 'roles', title: 'Roles', cell: ({ roles }) => <Roles roles={roles} /> },
  { name: 'known', title: 'Known by', cell: ({ known_by: by }) => KNOWN_BY[by] },
  { name: 'people', title: 'Known people', isNumber: true, cell: (group) => <PeopleOf group={group} /> },
];

export function Groups() {
  const query = useQuery(groupsQuery);
  const groups = query.data?.groups ?? [];
  return (
    <Listed query={query} isEmpty={groups.length === 0} empty={<NoGroups />}>
      <DataTable label="Groups" columns={COLUMNS} rows={groups} keyOf={({ id }) => id} />
    </Listed>
  );
}

function PeopleOf({ group: { name, people } }: { readonly group: Group }) {
  if (people === 0) return '0';
  return (
    <Link to="." search={{ q: name }}>
      {people}
    </Link>
  );
}

function NoGroups() {
  return (
    <EmptyState title="No groups yet">
      <p>Groups come with the first login of a person, by SCIM, or when lictor.yaml gives one a role:</p>
      <code>{'- { role: operator, members: ["group:team-a@corp"] }'}</code>
    </EmptyState>
  );
}
