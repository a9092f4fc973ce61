import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { parseTerms, withoutTerm } from './query-terms.ts';

/** The terms of the query, each can be removed. */
export function TermChips({ query, onChange }: { readonly query: string; readonly onChange: (query: string) => void }) {
  const terms = parseTerms(query);
  return (
    <ul className="chips" aria-label="Terms of the search">
      {terms.map((term) => (
        <li key={term.start} className="chip">
          {term.key !== null && <span className="muted">{term.key}</span>}
          <UntrustedText text={term.value} longest={60} />
          <button type="button" aria-label={`Remove ${term.key ?? ''} ${term.value}`} onClick={() => onChange(withoutTerm(query, term))}>
            ✕
          </button>
        </li>
      ))}
      {terms.length > 1 && (
        <li>
          <button type="button" className="button quiet small" onClick={() => onChange('')}>
            Clear all
          </button>
        </li>
      )}
    </ul>
  );
}
