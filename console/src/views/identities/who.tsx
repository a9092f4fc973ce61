import { useChangeUrl } from '../../app/url-state.ts';
import { UntrustedText } from '../../parts/untrusted-text.tsx';

/** The name of a principal, which opens its details. `name`: a shorter one, where its kind is clear. */
export function Who({ id, name = id }: { readonly id: string; readonly name?: string }) {
  const change = useChangeUrl();
  return (
    <button type="button" className="link-button" onClick={() => change({ who: id })}>
      <UntrustedText text={name} longest={120} />
    </button>
  );
}
