// The records of a search: pages, newest first, and the ones that arrive while one follows.
import { infiniteQueryOptions, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { answerOf, api } from '../../api/client.ts';
import { useFeed } from '../../api/use-feed.ts';
import type { LedgerRecord } from '../../parts/record-words.ts';
import { merged } from './merge.ts';

const PAGE = '100';
const FLUSH_MS = 250;
const NONE: readonly LedgerRecord[] = [];

function pagesOf(q: string) {
  return infiniteQueryOptions({
    queryKey: ['audit', q],
    queryFn: ({ pageParam, signal }) =>
      answerOf(api.GET('/audit', { params: { query: { q, order: 'newest', limit: PAGE, ...(pageParam !== null && { after: pageParam }) } }, signal })),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    // The rows of a search do not change by themselves: who wants new ones follows.
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    gcTime: 60_000,
  });
}

export function useRecords(q: string, isFollowing: boolean) {
  const query = useInfiniteQuery(pagesOf(q));
  const stored = query.data?.pages.flatMap(({ records }) => records) ?? NONE;
  const live = useLive(q, isFollowing && query.data !== undefined, query.data?.pages[0]?.records[0]?.id ?? null);
  const last = query.data?.pages.at(-1);
  return {
    ...query,
    records: merged(live.records, stored),
    live,
    notes: query.data?.pages[0]?.notes ?? [],
    /** The search stopped there, before the page was full. */
    searchedTo: last?.searched_to ?? null,
  };
}

/** Collects new records, and shows them a few times a second: hundreds may arrive in one. */
function useLive(q: string, isOn: boolean, cursor: string | null) {
  const [records, setRecords] = useState<{ readonly of: string; readonly list: readonly LedgerRecord[] }>({ of: q, list: NONE });
  const waiting = useRef<LedgerRecord[]>([]);
  const of = `${q}\n${cursor ?? ''}`;
  const state = useFeed({
    path: isOn ? `/stream?${new URLSearchParams(q === '' ? {} : { q })}` : null,
    cursor,
    event: 'record',
    // The gateway sends what its document describes.
    onEvent: (data) => void waiting.current.push(data as LedgerRecord),
  });
  useEffect(() => {
    waiting.current = [];
    const timer = setInterval(() => {
      if (waiting.current.length === 0) return;
      const arrived = waiting.current;
      waiting.current = [];
      setRecords((before) => ({ of, list: merged(arrived, before.of === of ? before.list : NONE) }));
    }, FLUSH_MS);
    return () => clearInterval(timer);
  }, [of]);
  return { records: records.of === of ? records.list : NONE, state };
}

/** The record in the address, when it is not among the shown ones. */
export function useOneRecord(id: string | undefined, shown: readonly LedgerRecord[]) {
  const known = shown.find((record) => record.id === id);
  const query = useQuery({
    queryKey: ['audit-record', id],
    queryFn: ({ signal }) => answerOf(api.GET('/audit/records/{id}', { params: { path: { id: id ?? '' } }, signal })),
    enabled: id !== undefined && known === undefined,
  });
  return { record: known ?? query.data, error: known === undefined ? query.error : null };
}
