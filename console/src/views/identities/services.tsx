import { useInfiniteQuery } from '@tanstack/react-query';
import { useUrlState } from '../../app/url-state.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Tag } from '../../parts/tag.tsx';
import { Time, utc } from '../../parts/time.tsx';
import { AccessTokens } from './access-tokens.tsx';
import { LastUse, Until, Words } from './cells.tsx';
import { type Token, tokensQuery } from './data.ts';
import { Listed } from './listed.tsx';
import { TokenButtons } from './token-buttons.tsx';
import { byLastUse, isOfUse, USE_WORDS, useOf } from './token-use.ts';
import { UseFilter } from './use-filter.tsx';
import { shownColumns, useOpenDetail } from './use-open-detail.ts';
import { Who } from './who.tsx';

const COLUMNS: readonly Column<Token>[] = [
  { name: 'name', title: 'Token', cell: (token) => <Name token={token} /> },
  { name: 'roles', title: 'Roles', cell: (token) => <TokenRoles token={token} /> },
  { name: 'used', title: 'Last use', cell: ({ last_used_at: at, last_used_from: from }) => <LastUse at={at} from={from} isNotable /> },
  { name: 'age', title: 'Created', cell: ({ created_at: at }) => <Time iso={at} relative /> },
  { name: 'ends', title: 'Ends', cell: ({ expires_at: at }) => <Until at={at} /> },
  { name: 'from', title: 'From', cell: ({ cidrs }) => (cidrs.length === 0 ? <span className="muted">anywhere</span> : cidrs.join(', ')) },
  { name: 'do', title: '', cell: (token) => <TokenButtons token={token} /> },
];

export function Services() {
  const query = useInfiniteQuery(tokensQuery);
  const [text] = useUrlState('used');
  const detail = useOpenDetail();
  const use = useOf(text);
  const nowMs = Date.now();
  const tokens = query.data?.pages.flatMap((page) => page.tokens) ?? [];
  const rows = tokens.filter((token) => isOfUse(token, use, nowMs)).toSorted(byLastUse);
  return (
    <Listed query={query} isEmpty={tokens.length === 0} empty={<NoTokens />}>
      <div className="stack">
        {!query.hasNextPage && (
          <p className="muted">
            All service tokens that are not revoked, also those of agents and workers. The token of a run ends with the run and is not listed.
          </p>
        )}
        <UseFilter tokens={tokens} shown={use} nowMs={nowMs} />
        {rows.length === 0 ? (
          <EmptyState title={`No token: ${USE_WORDS[use].toLowerCase()}`} />
        ) : (
          <DataTable
            label="Service tokens"
            columns={shownColumns(COLUMNS, detail.selected)}
            rows={rows}
            keyOf={({ principal }) => principal}
            {...forTokens(detail)}
          />
        )}
        <AccessTokens />
      </div>
    </Listed>
  );
}

/** A row of a token opens the details of its principal. */
function forTokens({ selected, onSelect }: ReturnType<typeof useOpenDetail>) {
  return { selected, onSelect: ({ principal }: Token) => onSelect({ id: principal }) };
}

function Name({ token: { name, principal, state, overlap_until: until } }: { readonly token: Token }) {
  return (
    <>
      <Who id={principal} name={name} /> {state === 'expired' && <Tag tone="bad">expired</Tag>}{' '}
      {until !== null && <Tag tone="info">two secrets until {utc(until)}</Tag>}
    </>
  );
}

function TokenRoles({ token: { roles, scope } }: { readonly token: Token }) {
  if (roles.length === 0) return <span className="muted">of the agent</span>;
  return (
    <>
      <Words words={roles} />
      {scope !== null && <span className="under">{scope}</span>}
    </>
  );
}

function NoTokens() {
  return (
    <EmptyState title="No service tokens yet">
      <p>Workers, CI and other programs use a token instead of a password. Create one here, or on the machine of the gateway:</p>
      <code>lictor token create etl-worker --role worker --expires 90d</code>
    </EmptyState>
  );
}
