import { useQuery } from '@tanstack/react-query';
import { useMe, whyNot } from '../../app/session.ts';
import { Button } from '../../parts/button.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Tag } from '../../parts/tag.tsx';
import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { useAsked } from './asked.ts';
import { type Socket, socketsQuery } from './data.ts';
import { Listed } from './listed.tsx';
import { RowButtons } from './token-buttons.tsx';
import { shownColumns, useOpenDetail } from './use-open-detail.ts';
import { Who } from './who.tsx';

const KINDS: Readonly<Record<Socket['kind'], string>> = { prefect: 'Prefect', service: 'service', forward: 'forward proxy' };

const COLUMNS: readonly Column<Socket>[] = [
  { name: 'who', title: 'Principal', cell: (socket) => <Holder socket={socket} /> },
  { name: 'what', title: 'To', cell: (socket) => <Target socket={socket} /> },
  { name: 'from', title: 'From', cell: (socket) => <From socket={socket} /> },
  { name: 'since', title: 'Open since', cell: ({ since }) => <Time iso={since} relative /> },
  { name: 'do', title: '', cell: (socket) => <CloseButton socket={socket} /> },
];

export function Sockets() {
  const query = useQuery(socketsQuery());
  const { sockets = [], open = 0 } = query.data ?? {};
  return (
    <Listed
      query={query}
      isEmpty={sockets.length === 0}
      empty={<EmptyState title="No socket is open">Workers and browsers that watch runs appear here.</EmptyState>}
    >
      <div className="stack">
        <p className="muted">
          {open === sockets.length ? `${open} open` : `${sockets.length} of ${open} open`} at <Time iso={new Date(query.dataUpdatedAt).toISOString()} />
        </p>
        <SocketTable rows={sockets} />
      </div>
    </Listed>
  );
}

export function SocketTable({ rows }: { readonly rows: readonly Socket[] }) {
  const { selected } = useOpenDetail();
  return <DataTable label="Open sockets" columns={shownColumns(COLUMNS, selected)} rows={rows} keyOf={({ id }) => id} />;
}

function Holder({ socket: { principal, on_behalf_of: others, worker } }: { readonly socket: Socket }) {
  return (
    <>
      <Who id={principal} />
      {others.length > 0 && <span className="under">for {others.join(', ')}</span>}
      {worker !== null && (
        <span className="under">
          worker <UntrustedText text={worker} longest={80} />
        </span>
      )}
    </>
  );
}

function Target({ socket: { kind, target } }: { readonly socket: Socket }) {
  return (
    <>
      <UntrustedText text={target} longest={120} /> <Tag>{KINDS[kind]}</Tag>
    </>
  );
}

function From({ socket: { address, user_agent: agent } }: { readonly socket: Socket }) {
  return (
    <>
      {address}
      {agent !== null && (
        <span className="under">
          <UntrustedText text={agent} longest={60} />
        </span>
      )}
    </>
  );
}

function CloseButton({ socket: { id, principal, target } }: { readonly socket: Socket }) {
  const { ask } = useAsked();
  return (
    <RowButtons>
      <Button small kind="quiet" whyNot={whyNot(useMe(), 'access.write')} label={`Close ${target} of ${principal}`} onPress={() => ask('close', id)}>
        Close
      </Button>
    </RowButtons>
  );
}
