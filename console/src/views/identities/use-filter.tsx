import { useChangeUrl } from '../../app/url-state.ts';
import { countUses, type TokenFacts, USE_WORDS, USES, type Use } from './token-use.ts';

interface UseFilterProps {
  readonly tokens: readonly TokenFacts[];
  readonly shown: Use;
  readonly nowMs: number;
}

/** The questions about tokens, each with its count. */
export function UseFilter({ tokens, shown, nowMs }: UseFilterProps) {
  const change = useChangeUrl();
  const counts = countUses(tokens, nowMs);
  return (
    <fieldset className="chips">
      <legend className="visually-hidden">Which tokens</legend>
      {USES.map((use) => (
        <button key={use} type="button" className="chip" aria-pressed={use === shown} onClick={() => change({ used: use === 'any' ? '' : use })}>
          {USE_WORDS[use]} <span className="count">{counts[use]}</span>
        </button>
      ))}
    </fieldset>
  );
}
