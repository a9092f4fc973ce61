import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ActionAbout } from './action-about.tsx';
import { bytesWords, durationWords, kindWords, type LedgerRecord, reasonOf } from './record-words.ts';
import { Tag } from './tag.tsx';
import { UntrustedText } from './untrusted-text.tsx';

/** What a record says beside who and what, in groups. Empty fields are left out. */
export function RecordFacts({ record }: { readonly record: LedgerRecord }) {
  return (
    <>
      <Part title="Decision" facts={decisionFacts(record)} />
      <Part title="Request" facts={requestFacts(record)} />
      <Part title="About" facts={objectFacts(record)} />
      <Part title="In the ledger" facts={ledgerFacts(record)} />
    </>
  );
}

type Fact = readonly [name: string, value: ReactNode];

function Part({ title, facts }: { readonly title: string; readonly facts: readonly Fact[] }) {
  const given = facts.filter(([, value]) => value !== null && value !== '' && value !== undefined);
  if (given.length === 0) return null;
  return (
    <section className="record-part" aria-label={title}>
      <h3>{title}</h3>
      <dl className="facts">
        {given.map(([name, value]) => (
          <div key={name} className="fact">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function decisionFacts(record: LedgerRecord): readonly Fact[] {
  const policies =
    record.policies.length === 0 ? null : (
      <ul className="record-policies">
        {record.policies.map((policy) => (
          <li key={policy}>
            <code>
              <UntrustedText text={policy} />
            </code>
          </li>
        ))}
      </ul>
    );
  const action = record.action === null ? null : <ActionAbout action={record.action} />;
  return [
    ['Action', action],
    ['Reason', text(record.reason)],
    ['In words', text(reasonOf(record) === record.reason ? null : reasonOf(record))],
    ['Policies', policies],
    ['Revision', record.revision],
    ['Approval', text(record.approval_id)],
  ];
}

function requestFacts(record: LedgerRecord): readonly Fact[] {
  const { method, path } = record;
  const took = [durationWords(record.duration_ms), record.upstream_ms === null ? '' : `${durationWords(record.upstream_ms)} of it upstream`];
  return [
    ['Request', text(path === null ? null : `${method ?? ''} ${path}`.trim(), 'code')],
    ['Request id', text(record.request_id, 'code')],
    ['From', text(record.source_ip)],
    ['Program', text(record.user_agent)],
    ['Answer', record.status],
    ['Took', took.filter((each) => each !== '').join(', ')],
    ['Size', bytesWords(record.bytes)],
    ['Path taken', record.path_taken],
    ['Cache', record.cache],
    ['Session', text(record.session_id)],
    ['Grant', text(record.grant_id)],
    ['Tool', text(record.tool)],
    ['Secrets removed', record.redactions],
  ];
}

function objectFacts(record: LedgerRecord): readonly Fact[] {
  const run = record.flow_run_id === null ? null : <RunLink id={record.flow_run_id} binding={record.run_binding} />;
  return [
    [kindWords(record.resource_type ?? 'object'), text(record.resource_id, 'code')],
    ['Flow run', run],
    ['Task run', text(record.task_run_id, 'code')],
    ['Deployment', text(record.deployment_id, 'code')],
    ['Service', text(record.service)],
  ];
}

/** A client can claim any run in a header. */
function RunLink({ id, binding }: { readonly id: string; readonly binding: LedgerRecord['run_binding'] }) {
  return (
    <span className="row">
      <Link to={`/runs/${encodeURIComponent(id)}`}>
        <code>
          <UntrustedText text={id} />
        </code>
      </Link>
      {binding === 'asserted' ? <Tag tone="warn">claimed, not proven</Tag> : <Tag tone="good">proven</Tag>}
    </span>
  );
}

function ledgerFacts(record: LedgerRecord): readonly Fact[] {
  return [
    ['Number', `${record.seq.toLocaleString('en')} of the node ${record.node}`],
    ['Record id', text(record.id, 'code')],
    ['Hash', text(record.hash, 'code')],
  ];
}

function text(value: string | null, as: 'text' | 'code' = 'text'): ReactNode {
  if (value === null) return null;
  return as === 'code' ? (
    <code>
      <UntrustedText text={value} />
    </code>
  ) : (
    <UntrustedText text={value} />
  );
}
