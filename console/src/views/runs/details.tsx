// One row beside the picture: its record, or what Prefect reports.
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { answerOf, api } from '../../api/client.ts';
import { ROOT } from '../../app/base.ts';
import { Button } from '../../parts/button.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { Panel } from '../../parts/panel.tsx';
import { RecordPanel } from '../../parts/record-panel.tsx';
import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { ViewLoading } from '../../parts/view-loading.tsx';
import { WhyRecord } from '../../parts/why.tsx';
import { LANE_NAMES, type Row, type Timed } from './row.ts';
import styles from './run.module.css';
import { outcome, title } from './say.ts';
import { chain, offset, span } from './words.ts';

interface DetailsProps {
  readonly at: Timed;
  readonly zero: number;
  /** The person may read the run in Prefect. */
  readonly readable: boolean;
  readonly onClose: () => void;
  readonly onShow: () => void;
}

export function Details(props: DetailsProps) {
  const { record_id: id } = props.at.row;
  return id === null ? <RowDetails {...props} /> : <RecordDetails {...props} id={id} />;
}

function RecordDetails({ at, id, onClose, onShow }: DetailsProps & { readonly id: string }) {
  const { data: record, error } = useQuery({
    queryKey: ['record', id],
    queryFn: ({ signal }) => answerOf(api.GET('/audit/records/{id}', { params: { path: { id } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (record === undefined)
    return (
      <Panel title="Record" onClose={onClose}>
        {error === null ? <ViewLoading /> : <ErrorNotice error={error} />}
      </Panel>
    );
  return (
    <RecordPanel
      record={record}
      onClose={onClose}
      note={
        <>
          <p>{KNOWN[at.row.binding ?? 'prefect']}</p>
          <WhyRecord record={record} />
        </>
      }
    >
      <ZoomTo onShow={onShow} />
    </RecordPanel>
  );
}

function ZoomTo({ onShow }: Pick<DetailsProps, 'onShow'>) {
  return (
    <Button small onPress={onShow}>
      Zoom to it
    </Button>
  );
}

/** Of what Prefect reports: there is no record. */
function RowDetails({ at, zero, readable, onClose, onShow }: DetailsProps) {
  const { row } = at;
  return (
    <Panel title={<UntrustedText text={title(row)} />} onClose={onClose} foot={<ZoomTo onShow={onShow} />}>
      <dl className={`facts ${styles['facts']}`}>
        <Fact name="Lane">{LANE_NAMES[row.lane]}</Fact>
        <Fact name="Outcome">{outcome(row)}</Fact>
        <Fact name="Message">{row.message === null ? null : <UntrustedText text={row.message} longest={600} />}</Fact>
        <Fact name="When">
          <Time iso={row.time} isExact /> <span className="muted">({offset(at.from - zero)})</span>
        </Fact>
        <Fact name="Lasted">{row.duration_ms === null ? null : span(row.duration_ms)}</Fact>
        <Fact name="Started by">{row.principal === null ? null : <UntrustedText text={chain(row.principal, row.on_behalf_of)} />}</Fact>
        <Fact name="Known">{KNOWN.prefect}</Fact>
        <Fact name="Object">{objectOf(row, readable)}</Fact>
      </dl>
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
function objectOf({ kind, object_id: id }: Row, readable: boolean): ReactNode {
  if (id === null) return null;
  if (!readable || !UUID.test(id) || (kind !== 'task' && kind !== 'run')) return <UntrustedText text={id} />;
  return <a href={`${ROOT}/runs/${kind === 'task' ? 'task-run' : 'flow-run'}/${id}`}>{id} in Prefect</a>;
}
