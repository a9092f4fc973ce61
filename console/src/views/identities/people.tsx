import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useUrlState } from '../../app/url-state.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { TextField } from '../../parts/fields.tsx';
import { Tag } from '../../parts/tag.tsx';
import { LastUse, Roles, Words } from './cells.tsx';
import { type Principal, peopleQuery, tokensQuery } from './data.ts';
import { Listed } from './listed.tsx';
import { LockButton } from './token-buttons.tsx';
import { countUses } from './token-use.ts';
import { shownColumns, useOpenDetail } from './use-open-detail.ts';
import { Who } from './who.tsx';

const KNOWN_BY: Readonly<Record<string, string>> = { account: 'built-in account', login: 'login', scim: 'SCIM and login' };

const COLUMNS: readonly Column<Principal>[] = [
  { name: 'id', title: 'Person', cell: (person) => <Person person={person} /> },
  { name: 'roles', title: 'Roles', cell: ({ roles }) => <Roles roles={roles} /> },
  { name: 'groups', title: 'Groups', cell: ({ groups }) => <Words words={groups} /> },
  { name: 'known', title: 'Known by', cell: ({ known_by: by }) => KNOWN_BY[by] ?? by },
  { name: 'seen', title: 'Last seen', cell: ({ last_seen_at: at, last_seen_from: from }) => <LastUse at={at} from={from} /> },
  { name: 'do', title: '', cell: (person) => !person.locked && <LockButton id={person.id} /> },
];

export function People() {
  const [text, setText] = useUrlState('q');
  const query = useInfiniteQuery(peopleQuery(text));
  const people = query.data?.pages.flatMap(({ principals }) => principals) ?? [];
  const detail = useOpenDetail();
  return (
    <div className="stack">
      <div className="filter">
        <TextField
          label="Filter people"
          hideLabel
          type="search"
          placeholder="Filter by name or group"
          value={text}
          onChange={(value) => setText(value, { replace: true })}
        />
      </div>
      <UnusedTokens />
      <Listed query={query} isEmpty={people.length === 0} empty={<Nobody text={text} />}>
        <DataTable label="People" columns={shownColumns(COLUMNS, detail.selected)} rows={people} keyOf={({ id }) => id} {...detail} />
      </Listed>
    </div>
  );
}

/** A reviewer looks here first. */
function UnusedTokens() {
  const { data } = useInfiniteQuery(tokensQuery);
  const { never } = countUses(data?.pages.flatMap(({ tokens }) => tokens) ?? [], Date.now());
  if (never === 0) return null;
  return (
    <p>
      <Link to="/identities" search={{ tab: 'services', used: 'never' }}>
        {never === 1 ? '1 service token was never used' : `${never} service tokens were never used`}
      </Link>
    </p>
  );
}

function Person({ person: { id, locked, refused } }: { readonly person: Principal }) {
  return (
    <>
      <Who id={id} /> {locked && <Tag tone="bad">locked</Tag>} {refused && <Tag tone="bad">refused by its provider</Tag>}
    </>
  );
}

function Nobody({ text }: { readonly text: string }) {
  if (text !== '') return <EmptyState title="No person matches">A part of the name or of a group is enough. Groups count from the first login on.</EmptyState>;
  return (
    <EmptyState title="No people yet">
      <p>People of an identity provider are listed from their first login on. A built-in account is made on the machine of the gateway:</p>
      <code>lictor account add alice --role admin</code>
    </EmptyState>
  );
}
