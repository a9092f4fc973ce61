import { chainOf, type LedgerRecord } from './record-words.ts';
import { UntrustedText } from './untrusted-text.tsx';

/** The sender and whom it acts for, one below the other. A claimed name looks different from a proven one, and says so. */
export function PrincipalChain({ record }: { readonly record: LedgerRecord }) {
  const chain = chainOf(record);
  if (chain.length === 0) return <p className="muted">No credential: nobody is known.</p>;
  return (
    <ol className="chain">
      {chain.map(({ name, isProven }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a chain may name one principal twice
        <li key={index} className={isProven ? 'proven' : 'claimed'}>
          <span className="chain-name">
            <UntrustedText text={name} longest={120} />
          </span>
          <span className="chain-how">{howOf(record, index, isProven)}</span>
        </li>
      ))}
    </ol>
  );
}

function howOf({ principal_kind, credential_id, idp }: LedgerRecord, index: number, isProven: boolean): string {
  if (!isProven) return 'claimed, not proven';
  if (index > 0) return 'for whom it acts';
  const kind = principal_kind ?? 'principal';
  const by = credential_id === null ? '' : ` by ${credential_id}`;
  return `${kind}, proven${by}${idp === null ? '' : ` (${idp})`}`;
}
