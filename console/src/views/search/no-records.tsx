import { Link } from '@tanstack/react-router';
import { GATEWAY } from '../../app/base.ts';
import { CopyText } from '../../parts/copy-text.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Examples } from './query-help.tsx';
import { parseTerms } from './query-terms.ts';

/** Without a key: words that a person typed. */
function isWords(q: string): boolean {
  return parseTerms(q).every(({ key }) => key === null);
}

export function NoRecords({ q, onSearch }: { readonly q: string; readonly onSearch: (q: string) => void }) {
  if (q === '')
    return (
      <EmptyState title="There is no record yet.">
        <p>Send a request through the gateway, and it appears here:</p>
        <CopyText text={`PREFECT_API_URL=${GATEWAY}/api prefect version`} />
      </EmptyState>
    );
  return (
    <EmptyState title="No record fits.">
      <p>Remove a term, or widen the time.</p>
      {isWords(q) && (
        <p>
          Is it the name of a run?{' '}
          <Link to="/runs" search={{ q }}>
            Look among the runs
          </Link>
        </p>
      )}
      <p>Some searches to begin with:</p>
      <Examples onSearch={onSearch} />
    </EmptyState>
  );
}
