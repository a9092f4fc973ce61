// The runs that the ledger has seen, the newest first.
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useDeferredValue } from 'react';
import { answerOf, api } from '../../api/client.ts';
import type { components } from '../../api/schema.d.ts';
import { useUrlState } from '../../app/url-state.ts';
import { Button } from '../../parts/button.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { SelectField } from '../../parts/fields.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { ViewLoading } from '../../parts/view-loading.tsx';
import styles from './run.module.css';
import { RunSearch } from './run-search.tsx';
import { StateTag } from './state-tag.tsx';
import { chain } from './words.ts';

type Run = components['schemas']['RecentRun'];

const STATES = ['SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CRASHED', 'CANCELLING', 'CANCELLED', 'PAUSED'] as const;
type State = (typeof STATES)[number];

const STATE_CHOICES = [
  { value: '', text: 'Any state' },
  ...STATES.map((state) => ({ value: state as string, text: `${state.charAt(0)}${state.slice(1).toLowerCase()}` })),
];

/** Undefined for another text: an address may be mistyped. */
function stateOf(text: string): State | undefined {
  return STATES.find((state) => state === text);
}

export function RunList() {
  const [text, setText] = useUrlState('q');
  const [state, setState] = useUrlState('state');
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useRuns(useDeferredValue(text.trim()), stateOf(state));
  const runs = data?.pages.flatMap((page) => page.runs) ?? [];
  return (
    <>
      <PageHead title="Runs" about="Who started and who cancelled each run, and what was decided.">
        <SelectField label="State" hideLabel value={stateOf(state) ?? ''} onChange={(next) => setState(next)} options={STATE_CHOICES} />
        <RunSearch text={text} onChange={setText} />
      </PageHead>
      <div className="stack">
        {error !== null && <ErrorNotice error={error} />}
        {data === undefined && error === null && <ViewLoading />}
        {data !== undefined && runs.length === 0 && <NoRuns text={text} state={stateOf(state)} />}
        {runs.length > 0 && runs.every(({ name }) => name === null) && (
          <p className="notice">
            You see ids: the role viewer may read the names of runs, flows and deployments.
            {text !== '' && ' A run with exactly this name, or with an id that begins like this, is listed.'}
          </p>
        )}
        {runs.length > 0 && <DataTable label="Runs" columns={COLUMNS} rows={runs} keyOf={({ id }) => id} />}
        {hasNextPage && (
          <div>
            <Button isPending={isFetchingNextPage} onPress={() => void fetchNextPage()}>
              Earlier runs
            </Button>
          </div>
        )}
      </div>
    </>
  );
}

const REFRESH_MS = 10_000;

function useRuns(text: string, state: State | undefined) {
  return useInfiniteQuery({
    queryKey: ['runs', text, state],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => {
      const query = { ...(text !== '' && { text }), ...(state !== undefined && { state }), ...(pageParam !== '' && { before: pageParam }) };
      return answerOf(api.GET('/runs', { params: { query }, signal }));
    },
    getNextPageParam: ({ next }) => next,
    refetchInterval: REFRESH_MS,
    placeholderData: (before) => before,
  });
}

function NoRuns({ text, state }: { readonly text: string; readonly state: State | undefined }) {
  if (text !== '' || state !== undefined)
    return (
      <EmptyState title="No run that you may see fits">
        <p>
          Lictor looked for runs with exactly this name, and for ids that begin like this, among the runs that its ledger has seen. Parts of names are searched
          only for a person who may read the runs in Prefect.
        </p>
      </EmptyState>
    );
  return (
    <EmptyState title="No run yet">
      <p>A run appears here as soon as a client of the gateway starts one.</p>
      <Link to="/start">See the commands for a first run</Link>
    </EmptyState>
  );
}

const COLUMNS: readonly Column<Run>[] = [
  {
    name: 'run',
    title: 'Run',
    cell: (run) => (
      <>
        <Link to="/runs/{-$id}" params={{ id: run.id }}>
          <UntrustedText text={run.name ?? run.id} />
        </Link>
        {run.flow !== null && (
          <span className={styles['under']}>
            <UntrustedText text={run.flow} />
          </span>
        )}
      </>
    ),
  },
  { name: 'state', title: 'State', cell: (run) => run.state !== null && <StateTag name={run.state} type={run.state_type} /> },
  {
    name: 'cancelled',
    title: 'Cancelled by',
    cell: (run) => run.cancelled_by !== null && <Who text={chain(run.cancelled_by.principal, run.cancelled_by.on_behalf_of)} />,
  },
  { name: 'by', title: 'Started by', cell: (run) => <Who text={startedBy(run)} /> },
  { name: 'deployment', title: 'Deployment', cell: (run) => <UntrustedText text={run.deployment ?? run.deployment_id ?? ''} /> },
  { name: 'seen', title: 'Last seen', cell: (run) => <Time iso={run.seen_at} relative /> },
];

function Who({ text }: { readonly text: string }) {
  return (
    <span className={styles['principal']}>
      <UntrustedText text={text} />
    </span>
  );
}

const ROUTES = { schedule: 'Schedule', automation: 'Automation', unknown: '—', request: '—' } as const;

function startedBy({ principal, on_behalf_of, route }: Run): string {
  return principal === null ? ROUTES[route] : chain(principal, on_behalf_of);
}
