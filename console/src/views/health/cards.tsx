import type { ReactNode } from 'react';
import { Tag } from '../../parts/tag.tsx';
import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { bytes, milliseconds, readWords, serverWords } from './numbers.ts';
import type { Health } from './queries.ts';

function Card({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="card" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

export function PrefectServers({ servers }: { readonly servers: Health['prefect_servers'] }) {
  return (
    <Card title={servers.length === 1 ? 'Prefect server' : 'Prefect servers'}>
      <ul className="items">
        {servers.map(({ url, state, version, latency_ms: latency }) => {
          const [tone, text] = serverWords(state);
          return (
            <li key={url}>
              <span className="row between">
                <code>{url}</code>
                <Tag tone={tone}>{text}</Tag>
              </span>
              <span className="muted">{version === null ? 'version unknown' : `Prefect ${version}, answered in ${milliseconds(latency)}`}</span>
            </li>
          );
        })}
      </ul>
      <p className="muted">
        Does a server also answer around the gateway? <code>lictor doctor</code> tries, on the gateway's machine. Lictor stores no result of it.
      </p>
    </Card>
  );
}

export function IdentityProviders({ providers }: { readonly providers: Health['identity_providers'] }) {
  return (
    <Card title="Identity providers">
      {providers.length === 0 && <p className="muted">None is configured: service tokens alone get in.</p>}
      <ul className="items">
        {providers.map((provider) => (
          <li key={provider.id}>
            <span className="row between">
              <strong>{provider.id}</strong>
              <span className="muted">{provider.type}</span>
            </span>
            <Published what="Metadata" read={provider.metadata} />
            <Published what="Keys" read={provider.keys} />
            {provider.metadata === null && provider.keys === null && <span className="muted">It publishes nothing that Lictor reads.</span>}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Published({ what, read }: { readonly what: string; readonly read: Health['identity_providers'][number]['metadata'] }) {
  if (read === null) return null;
  const [tone, text] = readWords(read);
  return (
    <span>
      <span className="row">
        {what} <Tag tone={tone}>{text}</Tag>
        {read.read_at !== null && (
          <span className="muted">
            read <Time iso={read.read_at} relative />
          </span>
        )}
      </span>
      {read.error !== null && read.failed_at !== null && (
        <span className="muted failure">
          Last error <Time iso={read.failed_at} relative />: <UntrustedText text={read.error} />
        </span>
      )}
    </span>
  );
}

export function LedgerCard({ ledger }: { readonly ledger: Health['ledger'] }) {
  const { healthy, sealed_at: sealedAt, events_behind_seconds: behind, sinks } = ledger;
  return (
    <Card title="Ledger and exports">
      <dl className="facts">
        <dt>Records</dt>
        <dd>
          <Tag tone={healthy ? 'good' : 'bad'}>{healthy ? 'are written' : 'cannot be written'}</Tag>
        </dd>
        <dt>Head signed</dt>
        <dd>{sealedAt === null ? 'not yet' : <Time iso={sealedAt} relative />}</dd>
        <dt>Prefect events</dt>
        <dd>{behind === null ? '–' : behind < 5 ? 'up to date' : `${Math.round(behind)} s behind`}</dd>
        {sinks.map(({ name, lag_records: lag, failing }) => (
          <Sink key={name} name={name} lag={lag} failing={failing} />
        ))}
      </dl>
    </Card>
  );
}

function Sink({ name, lag, failing }: { readonly name: string; readonly lag: number; readonly failing: boolean }) {
  return (
    <>
      <dt>
        <UntrustedText text={name} longest={40} />
      </dt>
      <dd className="row">
        <Tag tone={failing ? 'bad' : 'good'}>{failing ? 'fails' : 'takes records'}</Tag>
        {lag > 0 && <span className="muted">{lag.toLocaleString('en')} wait</span>}
      </dd>
    </>
  );
}

export function Nodes({ nodes }: { readonly nodes: Health['nodes'] }) {
  return (
    <Card title={nodes.length === 1 ? 'Node' : 'Nodes'}>
      {nodes.map((node) => (
        <dl key={node.name} className="facts">
          <dt>Name</dt>
          <dd>{node.name}</dd>
          <dt>Lictor</dt>
          <dd>
            {node.version}, revision {node.revision}
          </dd>
          <dt>Running</dt>
          <dd>
            since <Time iso={node.started_at} relative />
          </dd>
          <dt>Memory</dt>
          <dd>{bytes(node.memory_bytes)}</dd>
          <dt>Open sockets</dt>
          <dd>{node.sockets}</dd>
        </dl>
      ))}
    </Card>
  );
}
