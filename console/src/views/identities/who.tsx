import { useChangeUrl } from '../../app/url-state.ts';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { shorten } from '../../parts/visible-text.ts';

const LONGEST = 80;

/** The name of a principal, which opens its details. `name`: a shorter one, where its kind is clear. The details have the whole of a long name. */
export function Who({ id, name = id }: { readonly id: string; readonly name?: string }) {
  const change = useChangeUrl();
  const { text, left } = shorten(name, LONGEST);
  return (
    <button type="button" className="link-button" onClick={() => change({ who: id })}>
      <UntrustedText text={left > 0 ? `${text}…` : text} longest={LONGEST + 1} />
    </button>
  );
}
