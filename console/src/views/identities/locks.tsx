import { useQuery } from '@tanstack/react-query';
import { useMe, whyNot } from '../../app/session.ts';
import { Button } from '../../parts/button.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { useAsked } from './asked.ts';
import { Until } from './cells.tsx';
import { type Lock, locksQuery } from './data.ts';
import { Listed } from './listed.tsx';
import { RowButtons } from './token-buttons.tsx';

const COLUMNS: readonly Column<Lock>[] = [
  { name: 'what', title: 'Locked', cell: (lock) => <What lock={lock} /> },
  { name: 'why', title: 'Why', cell: ({ why }) => (why === '' ? <span className="muted">no reason given</span> : <UntrustedText text={why} />) },
  { name: 'by', title: 'By', cell: ({ by }) => <UntrustedText text={by} longest={80} /> },
  { name: 'since', title: 'Since', cell: ({ created_at: at }) => <Time iso={at} relative /> },
  { name: 'until', title: 'Until', cell: ({ expires_at: at }) => <Until at={at} words="it is removed" /> },
  { name: 'do', title: '', cell: (lock) => <UnlockButton lock={lock} /> },
];

export function Locks() {
  const query = useQuery(locksQuery);
  const locks = query.data?.locks ?? [];
  return (
    <Listed query={query} isEmpty={locks.length === 0} empty={<NoLocks />}>
      <DataTable label="Locks" columns={COLUMNS} rows={locks} keyOf={({ kind, what }) => `${kind} ${what}`} />
    </Listed>
  );
}

function What({ lock: { what, note } }: { readonly lock: Lock }) {
  return (
    <>
      <UntrustedText text={what} longest={120} />
      {note !== null && <span className="under">{note}</span>}
    </>
  );
}

function UnlockButton({ lock: { what, kind } }: { readonly lock: Lock }) {
  const { ask } = useAsked();
  const missing = whyNot(useMe(), 'access.write');
  const bar = kind === 'scim' ? 'The identity provider set this lock: activate the person there.' : missing;
  return (
    <RowButtons>
      <Button small kind="quiet" whyNot={bar} label={`Unlock ${what}`} onPress={() => ask('unlock', what)}>
        Unlock
      </Button>
    </RowButtons>
  );
}

function NoLocks() {
  return (
    <EmptyState title="Nothing is locked">
      <p>
        A lock denies the next request of a person, a token, a session, a provider or an address, and closes open sockets. It works at once, and also from the
        machine of the gateway:
      </p>
      <code>lictor lock alice@corp --why "laptop stolen"</code>
    </EmptyState>
  );
}
