import { type LedgerRecord, outcomeOf } from './record-words.ts';
import { DecisionTag, Tag } from './tag.tsx';

/** The decision of a record. */
export function OutcomeTag({ record }: { readonly record: Pick<LedgerRecord, 'decision' | 'mode'> }) {
  const outcome = outcomeOf(record);
  if (outcome === 'event') return <Tag>event</Tag>;
  if (outcome === 'observed') return <Tag tone="warn">would deny</Tag>;
  return <DecisionTag decision={outcome} />;
}
