// The timeline of one run while its page is shown.
import { useEffect, useState } from 'react';
import { answerOf, api } from '../../api/client.ts';
import type { components } from '../../api/schema.d.ts';
import { type FeedState, readFeed } from './feed.ts';
import { retryMs } from './retry.ts';
import type { Timed } from './row.ts';
import { createRows, type Rows } from './rows.ts';
import { waitFor } from './wait.ts';

export type Head = components['schemas']['TimelineRun'];

export interface TimelineState extends FeedState<Head> {
  readonly rows: readonly Timed[];
  readonly get: Rows['get'];
}

const NOTHING: TimelineState = { head: null, complete: false, problem: null, rows: [], get: () => undefined };

/** Shows a picture at once, then at most every second: many pages follow each other. */
const REDRAW_MS = 250;

export function useTimeline(id: string): TimelineState {
  const [state, setState] = useState(NOTHING);
  useEffect(() => {
    const control = new AbortController();
    const rows = createRows();
    let drawn = 0;
    const onPage = (added: Parameters<Rows['add']>[0], feed: FeedState<Head>): void => {
      rows.add(added);
      const now = performance.now();
      if (!feed.complete && feed.problem === null && now - drawn < REDRAW_MS) return;
      drawn = now;
      setState({ ...feed, rows: rows.all(), get: rows.get });
    };
    void readFeed(
      {
        ask: ({ cursor, limit }, signal) =>
          answerOf(api.GET('/timeline/{id}', { params: { path: { id }, query: { limit: String(limit), ...(cursor !== undefined && { cursor }) } }, signal })),
        wait: waitFor,
        retryMs,
        onPage,
      },
      control.signal,
    );
    return () => control.abort();
  }, [id]);
  return state;
}
