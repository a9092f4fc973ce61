import { useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { Tag } from '../../parts/tag.tsx';
import { ViewLoading } from '../../parts/view-loading.tsx';
import { IdentityProviders, LedgerCard, Nodes, PrefectServers } from './cards.tsx';
import { Chart, type Series } from './chart.tsx';
import { milliseconds, short, statusWords } from './numbers.ts';
import { type Health, healthQuery } from './queries.ts';
import { Principals, Services, SharedNodes, Workers } from './tables.tsx';
import { Tiles } from './tiles.tsx';
import './health.css';

/** The gateway, its parts, what it depends on, and its traffic. */
export default function HealthView() {
  const { data, error } = useQuery(healthQuery);
  const first = useRef<Health['edge']>(undefined);
  first.current ??= data?.edge;
  return (
    <>
      <PageHead title="Health" about="The gateway, what it depends on, and the last 15 minutes of its traffic.">
        {data !== undefined && <Status health={data} />}
      </PageHead>
      <div className="stack">
        {error !== null && <ErrorNotice error={error} />}
        {data === undefined && error === null && <ViewLoading />}
        {data !== undefined && (
          <>
            <Tiles health={data} first={first.current ?? data.edge} />
            <Charts edge={data.edge} />
            <div className="cards">
              <PrefectServers servers={data.prefect_servers} />
              <IdentityProviders providers={data.identity_providers} />
              <LedgerCard ledger={data.ledger} />
              <Nodes nodes={data.nodes} />
            </div>
            {data.shared_store !== null && <SharedNodes shared={data.shared_store} />}
            <Workers workers={data.workers} />
            <div className="cards two">
              <Principals principals={data.principals} />
              <Services services={data.services} />
            </div>
          </>
        )}
      </div>
    </>
  );
}

/** The failed checks by name; all others are one word. */
function Status({ health: { status, checks } }: { readonly health: Health }) {
  const [tone, text] = statusWords(status);
  return (
    <span className="row" role="status">
      {checks.flatMap(({ name, ok }) =>
        ok
          ? []
          : [
              <Tag key={name} tone="bad">
                {name} failed
              </Tag>,
            ],
      )}
      <Tag tone={tone}>{text}</Tag>
    </span>
  );
}

const REQUESTS: readonly Series[] = [
  { name: 'requests', title: 'requests', colour: '--accent', isFilled: true },
  { name: 'denied', title: 'denied', colour: '--warn' },
  { name: 'failed', title: 'failed', colour: '--bad' },
];
const LATENCY: readonly Series[] = [
  { name: 'p50_ms', title: 'half of them', colour: '--accent' },
  { name: 'p95_ms', title: '95 %', colour: '--info' },
];

function Charts({ edge: { points, interval_seconds: seconds } }: { readonly edge: Health['edge'] }) {
  if (points.length === 0) return <p className="card muted">The ledger cannot be read now, so there are no charts.</p>;
  return (
    <div className="cards two">
      <div className="card">
        <Chart label={`Requests in ${seconds} s`} points={points} series={REQUESTS} unit={short} />
      </div>
      <div className="card">
        <Chart label="Time to the answer" points={points} series={LATENCY} unit={milliseconds} />
      </div>
    </div>
  );
}
