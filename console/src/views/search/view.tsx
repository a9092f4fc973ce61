import { Link } from '@tanstack/react-router';
import { useCallback } from 'react';
import { Problem } from '../../api/problem.ts';
import { LICTOR } from '../../app/base.ts';
import { can, useMe } from '../../app/session.ts';
import { useChangeUrl, useUrlValues } from '../../app/url-state.ts';
import { useWords } from '../../parts/action-about.tsx';
import { Button } from '../../parts/button.tsx';
import { ChainState } from '../../parts/chain-state.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { Checkbox } from '../../parts/fields.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { ViewLoading } from '../../parts/view-loading.tsx';
import { NoRecords } from './no-records.tsx';
import { OpenRecord } from './open-record.tsx';
import { QueryField } from './query-field.tsx';
import { Examples, QueryHelp } from './query-help.tsx';
import { QuerySelects } from './query-selects.tsx';
import { valueOfKey, type Words } from './query-terms.ts';
import { RecordsGrid } from './records-grid.tsx';
import { SearchEnd } from './search-end.tsx';
import { TermChips } from './term-chips.tsx';
import { useRecords } from './use-records.ts';
import './search.css';

/** Who did what: the ledger by a query, newest first, live on demand. The query, the open record and following are in the address. */
export default function SearchView() {
  const { q = '', record: open, follow = '', routine = '' } = useUrlValues();
  const asked = routine === '' ? `${q} routine:hide`.trim() : q;
  const me = useMe();
  const change = useChangeUrl();
  const isFollowing = follow !== '' && valueOfKey(q, 'until') === '';
  const found = useRecords(asked, isFollowing);
  const { records, error, fetchNextPage, hasNextPage, isFetching, searchedTo } = found;
  const search = (next: string) => change({ q: next, record: '' });
  const select = useCallback((id: string) => change({ record: id }), [change]);
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetching && searchedTo === null && error === null) fetchNextPage();
  }, [hasNextPage, isFetching, searchedTo, error, fetchNextPage]);
  const isMistake = error instanceof Problem && error.status === 400;
  return (
    <>
      <PageHead title="Who did what" about={<About />}>
        <FollowButton
          state={isFollowing ? found.live.state : 'off'}
          isBounded={valueOfKey(q, 'until') !== ''}
          onChange={(isOn) => change({ follow: isOn ? '1' : '' })}
        />
        <ExportLinks q={asked} />
      </PageHead>
      <ChainState>
        {can(me, 'access.read') && (
          <Link to="/evidence" search={{ verify: 'now' }}>
            Is the ledger complete? Verify all of it
          </Link>
        )}
      </ChainState>
      <div className="search-bar">
        <QueryField query={q} words={useSuggested(records)} onSearch={search} error={isMistake ? error.message : undefined} />
        <Checkbox label="Routine requests" isOn={routine !== ''} onChange={(isOn) => change({ routine: isOn ? 'show' : '' })} />
        <QuerySelects query={q} onSearch={search} />
      </div>
      <QueryHelp withoutRoutine={routine === ''} />
      {q === '' ? <Examples onSearch={search} /> : <TermChips query={q} onChange={search} />}
      {found.notes.map((note) => (
        <p key={note} className="notice">
          {note}
        </p>
      ))}
      {error !== null && !isMistake && <ErrorNotice error={error} />}
      {found.isPending && <ViewLoading />}
      {found.isSuccess && (
        <div className={open === undefined ? 'search-results' : 'beside search-results'}>
          {records.length === 0 && searchedTo === null ? (
            <NoRecords q={q} onSearch={search} />
          ) : (
            <RecordsGrid records={records} selected={open} onSelect={select} onEnd={onEnd}>
              <SearchEnd count={records.length} {...{ searchedTo, hasNextPage, isFetching }} onMore={fetchNextPage} />
            </RecordsGrid>
          )}
          {open !== undefined && <OpenRecord id={open} shown={records} onClose={() => change({ record: '' })} onSearch={search} />}
        </div>
      )}
    </>
  );
}

function About() {
  const isOwn = useMe().rights['ledger.read']?.own_objects_only === true;
  return isOwn
    ? 'Requests about the objects in your scopes, with the decision and its reason.'
    : 'Requests, logins and changes, with the decision and its reason.';
}

function FollowButton({ state, isBounded, onChange }: { readonly state: string; readonly isBounded: boolean; readonly onChange: (isOn: boolean) => void }) {
  const isOn = state !== 'off';
  return (
    <Button onPress={() => onChange(!isOn)} whyNot={isBounded ? 'The search has an end: remove until.' : undefined}>
      <span className={`live-dot ${state}`} aria-hidden="true" />
      {isOn ? (state === 'live' ? 'Following' : 'Connecting…') : 'Follow'}
    </Button>
  );
}

function ExportLinks({ q }: { readonly q: string }) {
  const address = (format: string) => `${LICTOR}/api/v1/audit/export?${new URLSearchParams({ ...(q !== '' && { q }), format })}`;
  return (
    <>
      <a className="button" href={address('csv')} download>
        Export CSV
      </a>
      <a className="button" href={address('ndjson')} download>
        Export JSON
      </a>
    </>
  );
}

/** What the gateway lists, and what the shown rows have: for a reader with scopes the gateway lists no principals. */
function useSuggested(records: ReturnType<typeof useRecords>['records']): Words {
  const words = useWords();
  const shown = records.slice(0, 500);
  const principals = shown.flatMap(({ principal, on_behalf_of }) => [principal, ...on_behalf_of]).filter((name) => name !== null);
  const addresses = shown.map(({ source_ip }) => source_ip).filter((address) => address !== null);
  return {
    actions: words?.actions ?? [],
    reasons: words?.reasons ?? [],
    principals: [...new Set([...(words?.principals ?? []), ...principals])],
    addresses: [...new Set(addresses)],
  };
}
