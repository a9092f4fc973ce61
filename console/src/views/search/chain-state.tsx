import { Link } from '@tanstack/react-router';
import { can, useMe } from '../../app/session.ts';
import { Tag } from '../../parts/tag.tsx';
import { Time } from '../../parts/time.tsx';
import { useChain } from './use-records.ts';

/** Whether the end of the ledger is intact, in one line. */
export function ChainState() {
  const me = useMe();
  const { data: chain, error } = useChain();
  return (
    <p className="chain-state" role="status">
      {chain === undefined &&
        (error === null ? <span className="muted">Examining the chain…</span> : <span className="muted">The state of the chain is unknown.</span>)}
      {chain?.state === 'intact' && (
        <>
          <Tag tone="good">
            <span aria-hidden="true">✓</span>chain intact
          </Tag>
          <span className="muted">
            {numbersOf(chain.chains)}signed <Time iso={chain.signed_at ?? ''} relative />.{' '}
            {can(me, 'access.read') && <Link to="/evidence">Verify every record</Link>}
          </span>
        </>
      )}
      {chain !== undefined && chain.state !== 'intact' && (
        <>
          <Tag tone="bad">
            <span aria-hidden="true">✕</span>
            {chain.state === 'broken' ? 'chain broken' : 'not signed'}
          </Tag>
          <span>
            {chain.state === 'broken'
              ? 'The newest records do not fit the signed head: records were changed.'
              : 'The ledger has no head that its key has signed.'}{' '}
            Run <code>lictor audit verify</code> on the gateway's machine.
          </span>
        </>
      )}
    </p>
  );
}

function numbersOf(chains: readonly { readonly first: number; readonly last: number }[]): string {
  const count = chains.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  return count === 0 ? '' : `${count.toLocaleString('en')} records, `;
}
