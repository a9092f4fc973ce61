import { useChangeUrl } from '../../app/url-state.ts';
import { UntrustedText } from '../../parts/untrusted-text.tsx';

/** The name of a principal, which opens its details. */
export function Who({ id }: { readonly id: string }) {
  const change = useChangeUrl();
  return (
    <button type="button" className="link-button" onClick={() => change({ who: id })}>
      <UntrustedText text={id} longest={120} />
    </button>
  );
}
