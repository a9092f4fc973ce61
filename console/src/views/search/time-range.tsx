import { SelectField } from '../../parts/fields.tsx';
import { valueOfKey } from './query-terms.ts';

const RANGES = [
  { value: '', text: 'Any time' },
  { value: '15m', text: 'Last 15 minutes' },
  { value: '1h', text: 'Last hour' },
  { value: '24h', text: 'Last 24 hours' },
  { value: '7d', text: 'Last 7 days' },
  { value: '30d', text: 'Last 30 days' },
];

/** The usual times. Any other one is written as `since:` and `until:`. */
export function TimeRange({ query, onChange }: { readonly query: string; readonly onChange: (since: string) => void }) {
  const since = valueOfKey(query, 'since');
  const own = RANGES.some(({ value }) => value === since) ? [] : [{ value: since, text: `Since ${since}` }];
  return <SelectField label="Time" hideLabel value={since} onChange={onChange} options={[...RANGES, ...own]} />;
}
