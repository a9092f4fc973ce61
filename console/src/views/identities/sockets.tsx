import { useState } from 'react';
import type { FeedState } from '../../api/feed.ts';
import { useFeed } from '../../api/use-feed.ts';
import { useMe, whyNot } from '../../app/session.ts';
import { Button } from '../../parts/button.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Tag } from '../../parts/tag.tsx';
import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { ViewLoading } from '../../parts/view-loading.tsx';
import { useAsked } from './asked.ts';
import { Acts } from './cells.tsx';
import type { Socket } from './data.ts';
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

interface Live {
  readonly open: number;
  readonly sockets: readonly Socket[];
}

const STATES: Readonly<Record<FeedState | 'off', string>> = { live: 'live', connecting: 'connecting', waiting: 'not connected, trying again', off: 'off' };

/** Each change arrives by itself. */
export function Sockets() {
  const [live, setLive] = useState<Live>();
  const state = useFeed({ path: '/sockets/stream', cursor: null, event: 'sockets', onEvent: (data) => setLive(data as Live) });
  if (live === undefined) return <ViewLoading />;
  const { open, sockets } = live;
  return (
    <div className="stack">
      <p className="row">
        <Tag tone={state === 'live' ? 'good' : 'warn'}>{STATES[state]}</Tag>
        <span className="muted">{open === sockets.length ? `${open} open` : `${sockets.length} of ${open} open`}</span>
      </p>
      {open === 0 ? <EmptyState title="No socket is open">Workers and browsers that watch runs appear here.</EmptyState> : <SocketTable rows={sockets} />}
    </div>
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
      {others.length > 0 && <Acts others={others} />}
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
