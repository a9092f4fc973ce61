// The terms that a person needs most, as choices. Any other value is written as text.
import { SelectField } from '../../parts/fields.tsx';
import { valueOfKey, withTerm } from './query-terms.ts';

interface Choice {
  readonly value: string;
  readonly text: string;
}

const RANGES: readonly Choice[] = [
  { value: '', text: 'Any time' },
  { value: '15m', text: 'Last 15 minutes' },
  { value: '1h', text: 'Last hour' },
  { value: '24h', text: 'Last 24 hours' },
  { value: '7d', text: 'Last 7 days' },
  { value: '30d', text: 'Last 30 days' },
];

const DECISIONS: readonly Choice[] = [
  { value: '', text: 'Any decision' },
  { value: 'deny', text: 'Denied' },
  { value: 'allow', text: 'Allowed' },
];

interface QuerySelectsProps {
  readonly query: string;
  readonly onSearch: (query: string) => void;
}

export function QuerySelects(props: QuerySelectsProps) {
  return (
    <>
      <QuerySelect label="Decision" term="decision" choices={DECISIONS} {...props} />
      <QuerySelect label="Time" term="since" choices={RANGES} {...props} />
    </>
  );
}

function QuerySelect({
  label,
  term,
  choices,
  query,
  onSearch,
}: QuerySelectsProps & { readonly label: string; readonly term: string; readonly choices: readonly Choice[] }) {
  const value = valueOfKey(query, term);
  const own = choices.some((choice) => choice.value === value) ? [] : [{ value, text: `${term}:${value}` }];
  return <SelectField label={label} hideLabel value={value} onChange={(next) => onSearch(withTerm(query, term, next))} options={[...choices, ...own]} />;
}
