import { OutcomeTag } from '../../parts/outcome-tag.tsx';
import { actionOf, chainOf, type LedgerRecord, objectOf, outcomeOf, reasonOf, withoutPrincipal } from '../../parts/record-words.ts';
import { UntrustedText } from '../../parts/untrusted-text.tsx';

interface RecordRowProps {
  readonly record: LedgerRecord;
  readonly id: string;
  readonly index: number;
  /** Pixels from the top. */
  readonly start: number;
  readonly isActive: boolean;
  readonly isSelected: boolean;
  readonly onOpen: () => void;
}

export function RecordRow({ record, id, index, start, isActive, isSelected, onOpen }: RecordRowProps) {
  const object = objectOf(record);
  const outcome = outcomeOf(record);
  return (
    <tr
      id={id}
      className={`record-row ${outcome}`}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      data-active={isActive}
      style={{ transform: `translateY(${start}px)` }}
      onClick={onOpen}
    >
      <td className="time">
        <time dateTime={record.time} title={record.time}>
          <span className="date">{record.time.slice(0, 10)} </span>
          <b>{record.time.slice(11, 19)}</b>
          <span className="ms">{record.time.slice(19, 23)}</span>
        </time>
      </td>
      <td className="who">
        <Who record={record} />
      </td>
      <td>
        <OutcomeTag record={record} />
      </td>
      <td className="what">
        <UntrustedText text={actionOf(record)} longest={80} />
      </td>
      <td className="on">
        {object !== undefined && (
          <>
            <span className="muted">{object.kind}</span> <UntrustedText text={object.id} longest={60} />
          </>
        )}
      </td>
      <td className="why">
        <span title={record.reason ?? undefined}>
          <UntrustedText text={reasonOf(record)} longest={60} />
        </span>
        {outcome === 'allow' && record.status !== null && record.status >= 400 && <span className="muted"> answer {record.status}</span>}
      </td>
      <td className="from">
        <UntrustedText text={record.source_ip ?? ''} longest={45} />
      </td>
    </tr>
  );
}

/** `copilot for alice@corp`. A claimed name is in italics, and says so. */
function Who({ record }: { readonly record: LedgerRecord }) {
  const chain = chainOf(record);
  if (chain.length === 0) return <span className="muted">{withoutPrincipal(record)}</span>;
  return chain.map(({ name, isProven }, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a chain may name one principal twice
    <span key={index} className={isProven ? undefined : 'claimed'} title={isProven ? undefined : 'claimed, not proven'}>
      {index > 0 && <span className="muted"> for </span>}
      <UntrustedText text={name} longest={60} />
      {!isProven && <span className="muted"> (claimed)</span>}
    </span>
  ));
}
