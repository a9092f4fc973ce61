import type { ReactNode } from 'react';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Tag } from '../../parts/tag.tsx';
import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { isLate, milliseconds, nodeWords, percent, short } from './numbers.ts';
import type { Health } from './queries.ts';

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="list" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

type Worker = Health['workers'][number];

const WORKERS: readonly Column<Worker>[] = [
  {
    name: 'name',
    title: 'Worker',
    cell: ({ name }) => (name === null ? <span className="muted">announces no name</span> : <UntrustedText text={name} longest={60} />),
  },
  { name: 'pool', title: 'Work pool', cell: ({ pool }) => <UntrustedText text={pool} longest={60} /> },
  { name: 'principal', title: 'Principal', cell: ({ principal }) => <UntrustedText text={principal} longest={60} /> },
  { name: 'version', title: 'Prefect', cell: ({ version }) => version ?? '–' },
  {
    name: 'way',
    title: 'Connection',
    cell: ({ connected_at: at }) =>
      at === null ? (
        'HTTP'
      ) : (
        <>
          socket, <Time iso={at} relative />
        </>
      ),
  },
  {
    name: 'seen',
    title: 'Last seen',
    cell: ({ last_seen_at: at }) => (
      <span className="row">
        <Time iso={at} relative />
        {isLate(at, Date.now()) && <Tag tone="warn">late</Tag>}
      </span>
    ),
  },
];

export function Workers({ workers }: { readonly workers: Health['workers'] }) {
  return (
    <Section title={`Workers${workers.length === 0 ? '' : ` (${workers.length})`}`}>
      {workers.length === 0 ? (
        <p className="card muted">No worker uses this gateway now. First steps has the commands for one.</p>
      ) : (
        <DataTable label="Workers" columns={WORKERS} rows={workers} keyOf={({ name, pool, principal }) => `${principal} ${pool} ${name}`} />
      )}
    </Section>
  );
}

type SharedNode = NonNullable<Health['shared_store']>['nodes'][number];

const NODES: readonly Column<SharedNode>[] = [
  { name: 'name', title: 'Node', cell: ({ name }) => <UntrustedText text={name} longest={60} /> },
  {
    name: 'state',
    title: 'State',
    cell: (node) => (
      <span className="row">
        {nodeWords(node).map(([tone, text]) => (
          <Tag key={text} tone={tone}>
            {text}
          </Tag>
        ))}
      </span>
    ),
  },
  { name: 'version', title: 'Lictor', cell: ({ version }) => version ?? '–' },
  { name: 'seen', title: 'Last seen', cell: ({ last_seen_at: at }) => (at === null ? '–' : <Time iso={at} relative />) },
  { name: 'duties', title: 'Duties', cell: ({ duties }) => (duties.length === 0 ? '–' : duties.join(', ')) },
  { name: 'behind', title: 'Records behind', isNumber: true, cell: ({ chain }) => (chain === null ? '–' : short(chain.behind_records)) },
  {
    name: 'head',
    title: 'Newest head',
    cell: ({ chain }) => (chain === null || chain.head_at === null ? '–' : <Time iso={chain.head_at} relative />),
  },
];

/** All nodes with this store. The card Node has the numbers of the one that answers. */
export function SharedNodes({ shared }: { readonly shared: NonNullable<Health['shared_store']> }) {
  const { nodes, problem, waiting_records: waiting } = shared;
  return (
    <Section title={`Nodes (${nodes.filter(({ live }) => live).length} live)`}>
      {problem !== null && (
        <p className="card failure">
          The store does not exchange records: <UntrustedText text={problem} />. {waiting.toLocaleString('en')} records of this node wait.
        </p>
      )}
      <DataTable label="Nodes" columns={NODES} rows={nodes} keyOf={({ name }) => name} />
      {nodes.map(
        ({ name, chain }) =>
          chain?.problem != null && (
            <p key={name} className="card failure">
              Records of <UntrustedText text={name} longest={60} /> are not taken: <UntrustedText text={chain.problem} />
            </p>
          ),
      )}
    </Section>
  );
}

type Busy = Health['principals'][number];

const PRINCIPALS: readonly Column<Busy>[] = [
  { name: 'principal', title: 'Principal', cell: ({ principal }) => <UntrustedText text={principal} longest={60} /> },
  { name: 'requests', title: 'Requests', isNumber: true, cell: ({ requests }) => short(requests) },
  { name: 'denied', title: 'Denied', isNumber: true, cell: ({ denied, requests }) => (denied === 0 ? '0' : percent(denied, requests)) },
  { name: 'failed', title: 'Failed', isNumber: true, cell: ({ failed }) => short(failed) },
  { name: 'last', title: 'Last', cell: ({ last_at: at }) => <Time iso={at} relative /> },
];

export function Principals({ principals }: { readonly principals: Health['principals'] }) {
  return (
    <Section title="Busiest principals">
      {principals.length === 0 ? (
        <p className="card muted">No request came in the last 15 minutes.</p>
      ) : (
        <DataTable label="Busiest principals" columns={PRINCIPALS} rows={principals} keyOf={({ principal }) => principal} />
      )}
    </Section>
  );
}

type Service = Health['services'][number];

const SERVICES: readonly Column<Service>[] = [
  { name: 'name', title: 'Service', cell: ({ name }) => name },
  { name: 'calls', title: 'Calls', isNumber: true, cell: ({ calls }) => short(calls) },
  { name: 'failed', title: 'Failed', isNumber: true, cell: ({ failed, calls }) => (failed === 0 ? '0' : percent(failed, calls)) },
  { name: 'cache', title: 'From cache', isNumber: true, cell: ({ cache_hits: hits, cacheable }) => percent(hits, cacheable) },
  { name: 'p95', title: '95 % within', isNumber: true, cell: ({ p95_ms: ms }) => milliseconds(ms) },
];

export function Services({ services }: { readonly services: Health['services'] }) {
  return (
    <Section title="Services">
      {services.length === 0 ? (
        <p className="card muted">No service is configured (services in lictor.yaml).</p>
      ) : (
        <DataTable label="Services" columns={SERVICES} rows={services} keyOf={({ name }) => name} />
      )}
    </Section>
  );
}
