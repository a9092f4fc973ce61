import { useState } from 'react';
import { shorten, visibleParts } from './visible-text.ts';

const LONGEST = 200;

/** Text that Lictor did not write: names, arguments, messages. The whole of a long text is one click away, up to 64 KB. */
export function UntrustedText({ text, longest = LONGEST }: { readonly text: string; readonly longest?: number }) {
  const [isWhole, setWhole] = useState(false);
  const { text: shown, left } = shorten(text, isWhole ? 65_536 : longest);
  return (
    <bdi className="untrusted">
      {visibleParts(shown).map((part, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text do not move
        <span key={index}>{part.isHidden ? <mark>{part.text}</mark> : part.text}</span>
      ))}
      {left > 0 && !isWhole && (
        <>
          …{' '}
          <button type="button" className="button quiet small" onClick={() => setWhole(true)}>
            {left} more characters
          </button>
        </>
      )}
    </bdi>
  );
}
