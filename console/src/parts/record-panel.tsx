import type { ReactNode } from 'react';
import { CopyText } from './copy-text.tsx';
import { PrincipalChain } from './principal-chain.tsx';
import { RecordFacts } from './record-facts.tsx';
import { actionOf, type LedgerRecord, OUTCOME_WORDS, objectOf, outcomeOf, withoutPrincipal } from './record-words.ts';
import './record-panel.css';
import { OutcomeTag } from './outcome-tag.tsx';
import { Panel } from './panel.tsx';
import { Time } from './time.tsx';
import { UntrustedText } from './untrusted-text.tsx';

interface RecordPanelProps {
  readonly record: LedgerRecord;
  readonly onClose: () => void;
  /** Below the sentence. */
  readonly note?: ReactNode;
  /** Links of the view, such as to the explanation. They stay in sight. */
  readonly children?: ReactNode;
}

/** One record: who, what, the decision with its policies, from where, and the record as it is stored. */
export function RecordPanel({ record, onClose, note, children }: RecordPanelProps) {
  return (
    <Panel title="Record" onClose={onClose} foot={children}>
      <div className="record-summary">
        <div className="row">
          <OutcomeTag record={record} />
          <span className="muted">
            <Time iso={record.time} isExact />
          </span>
        </div>
        <p className="record-sentence">
          <Sentence record={record} />
        </p>
        {record.mode === 'observe' && record.decision === 'deny' && (
          <p className="notice warning">Observe mode: Lictor let the request through and recorded what it would have decided.</p>
        )}
        {note}
      </div>
      <section className="record-part" aria-label="Who">
        <h3>Who</h3>
        <PrincipalChain record={record} />
      </section>
      <RecordFacts record={record} />
      <details className="record-raw">
        <summary>The record as it is stored</summary>
        <CopyText text={JSON.stringify(record, null, 2)} what="Copy" />
      </details>
    </Panel>
  );
}

function Sentence({ record }: { readonly record: LedgerRecord }) {
  const object = objectOf(record);
  return (
    <>
      <strong>{record.principal === null ? withoutPrincipal(record) : <UntrustedText text={record.principal} longest={80} />}</strong>{' '}
      {OUTCOME_WORDS[outcomeOf(record)]}{' '}
      <code>
        <UntrustedText text={actionOf(record)} longest={120} />
      </code>
      {object !== undefined && (
        <>
          {' '}
          on {object.kind}{' '}
          <code>
            <UntrustedText text={object.id} longest={80} />
          </code>
        </>
      )}
    </>
  );
}
