import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMe, whyNot } from '../../app/session.ts';
import { Button } from '../../parts/button.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Tag } from '../../parts/tag.tsx';
import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { useAsked } from './asked.ts';
import { LastUse, Until } from './cells.tsx';
import { type Login, loginsQuery, mySessionsQuery, type Session, sessionsQuery } from './data.ts';
import { Listed } from './listed.tsx';
import { RowButtons } from './token-buttons.tsx';
import { shownColumns, useOpenDetail } from './use-open-detail.ts';
import { Who } from './who.tsx';

const WHO: Column<Session> = { name: 'who', title: 'Person', cell: ({ principal }) => <Who id={principal} /> };

const TIMES: readonly Column<Session>[] = [
  { name: 'since', title: 'Since', cell: (session) => <Since session={session} /> },
  { name: 'used', title: 'Last use', cell: ({ last_seen_at: at, last_seen_from: from }) => <LastUse at={at} from={from} /> },
  { name: 'ends', title: 'Ends if unused', cell: ({ expires_at: at }) => <Until at={at} /> },
  { name: 'do', title: '', cell: ({ id, principal }) => <EndButton id={id} of={principal} /> },
];

const LOGIN_WHO: Column<Login> = { name: 'who', title: 'Person', cell: ({ principal }) => <Who id={principal} /> };

const LOGIN_TIMES: readonly Column<Login>[] = [
  { name: 'client', title: 'Client', cell: ({ client }) => <UntrustedText text={client} longest={80} /> },
  { name: 'scopes', title: 'May', cell: ({ scopes }) => scopes.join(', ') },
  { name: 'used', title: 'Last token', cell: ({ last_used_at: at }) => <LastUse at={at} from={null} /> },
  { name: 'ends', title: 'Ends', cell: ({ expires_at: at }) => <Until at={at} /> },
  { name: 'do', title: '', cell: ({ id, principal }) => <EndButton id={id} of={principal} /> },
];

export function Sessions() {
  const sessions = useInfiniteQuery(sessionsQuery);
  const logins = useQuery(loginsQuery);
  return (
    <div className="stack">
      <h2>Browsers</h2>
      <Listed
        query={sessions}
        isEmpty={(sessions.data?.pages[0]?.sessions.length ?? 0) === 0}
        empty={<EmptyState title="No person is logged in with a browser" />}
      >
        <SessionTable rows={sessions.data?.pages.flatMap((page) => page.sessions) ?? []} />
      </Listed>
      <h2>Command line and OAuth clients</h2>
      <Listed query={logins} isEmpty={(logins.data?.logins.length ?? 0) === 0} empty={<NoLogins />}>
        <LoginTable rows={logins.data?.logins ?? []} />
      </Listed>
    </div>
  );
}

/** For people who may not see those of others. */
export function MySessions() {
  const query = useQuery(mySessionsQuery);
  const { sessions = [], logins = [] } = query.data ?? {};
  return (
    <Listed query={query} isEmpty={false} empty={null}>
      <div className="stack">
        <h2>Your browsers</h2>
        <SessionTable rows={sessions} isOwn />
        {logins.length > 0 && <h2>Your command line and OAuth clients</h2>}
        {logins.length > 0 && <LoginTable rows={logins} isOwn />}
      </div>
    </Listed>
  );
}

interface TableProps<Row> {
  readonly rows: readonly Row[];
  /** All are of one person, who is named above. */
  readonly isOwn?: boolean;
}

export function SessionTable({ rows, isOwn = false }: TableProps<Session>) {
  const { selected } = useOpenDetail();
  return <DataTable label="Browser sessions" columns={isOwn ? TIMES : shownColumns([WHO, ...TIMES], selected)} rows={rows} keyOf={({ id }) => id} />;
}

export function LoginTable({ rows, isOwn = false }: TableProps<Login>) {
  const { selected } = useOpenDetail();
  return (
    <DataTable
      label="Logins of clients"
      columns={isOwn ? LOGIN_TIMES : shownColumns([LOGIN_WHO, ...LOGIN_TIMES], selected)}
      rows={rows}
      keyOf={({ id }) => id}
    />
  );
}

function Since({ session: { created_at: at, current } }: { readonly session: Session }) {
  return (
    <>
      <Time iso={at} relative /> {current && <Tag tone="good">this one</Tag>}
    </>
  );
}

function EndButton({ id, of }: { readonly id: string; readonly of: string }) {
  const { ask } = useAsked();
  const me = useMe();
  return (
    <RowButtons>
      <Button
        small
        kind="quiet"
        whyNot={of === me.principal ? undefined : whyNot(me, 'access.write')}
        label={`End the session of ${of}`}
        onPress={() => ask('end', id)}
      >
        End
      </Button>
    </RowButtons>
  );
}

function NoLogins() {
  return (
    <p className="muted">
      None. <code>lictor login</code> makes one for the command line.
    </p>
  );
}
