import { UntrustedText } from '../../parts/untrusted-text.tsx';
import type { Approval } from './queries.ts';
import { chainOf } from './words.ts';

/** Who asks, and for whom. */
export function Chain({ approval }: { readonly approval: Pick<Approval, 'requested_by' | 'on_behalf_of'> }) {
  const [first = '', ...others] = chainOf(approval);
  return (
    <span className="chain">
      <strong>
        <UntrustedText text={first} />
      </strong>
      {others.map((each) => (
        <span key={each} className="muted">
          {' '}
          for <UntrustedText text={each} />
        </span>
      ))}
    </span>
  );
}
