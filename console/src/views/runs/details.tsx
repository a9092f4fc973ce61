// One row beside the picture: everything that is known about it.
import type { ReactNode } from 'react';
import { ROOT } from '../../app/base.ts';
import { Panel } from '../../parts/panel.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { LANE_NAMES, type Row, type Timed } from './row.ts';
import styles from './run.module.css';
import { outcome, title } from './say.ts';
import { chain, offset, span, utc } from './words.ts';

interface DetailsProps {
  readonly at: Timed;
  readonly zero: number;
  readonly onClose: () => void;
  readonly onShow: () => void;
}

export function Details({ at, zero, onClose, onShow }: DetailsProps) {
  const { row } = at;
  return (
    <Panel title={<UntrustedText text={title(row)} />} onClose={onClose}>
      <dl className={`facts ${styles['facts']}`}>
        <Fact name="Lane">{LANE_NAMES[row.lane]}</Fact>
        <Fact name="Did">{row.kind === 'request' || row.kind === 'decision' ? <UntrustedText text={row.what ?? ''} /> : null}</Fact>
        <Fact name="Outcome">{outcome(row)}</Fact>
        <Fact name="Message">{row.message === null ? null : <UntrustedText text={row.message} />}</Fact>
        <Fact name="When">
          {utc(row.time)} UTC <span className="muted">({offset(at.from - zero)})</span>
        </Fact>
        <Fact name="Lasted">{row.duration_ms === null ? null : span(row.duration_ms)}</Fact>
        <Fact name="Who">{row.principal === null ? null : <UntrustedText text={chain(row.principal, row.on_behalf_of)} />}</Fact>
        <Fact name="Known">{KNOWN[row.binding ?? 'prefect']}</Fact>
        <Fact name="Object">{objectOf(row)}</Fact>
        <Fact name="Record">{row.record_id === null ? null : <code>{row.record_id}</code>}</Fact>
      </dl>
      <div>
        <button type="button" className="button" onClick={onShow}>
          Zoom to it
        </button>
      </div>
    </Panel>
  );
}

const KNOWN = {
  verified: 'Verified: by the token of the run, the path or the answer of the request.',
  asserted: 'Asserted: only the client says that this belongs to the run.',
  none: 'It belongs to no run.',
  prefect: 'By the events of Prefect.',
} as const;

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  if (children === null || children === '') return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** Links only to paths of this gateway, and only for an id that is one. */
function objectOf({ kind, object_id: id }: Row): ReactNode {
  if (id === null) return null;
  if (!UUID.test(id) || (kind !== 'task' && kind !== 'run')) return <UntrustedText text={id} />;
  return <a href={`${ROOT}/runs/${kind === 'task' ? 'task-run' : 'flow-run'}/${id}`}>{id} in Prefect</a>;
}
