import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { answerOf, api } from '../api/client.ts';
import { Tag } from './tag.tsx';
import { Time } from './time.tsx';
import './chain-state.css';

/** Whether the end of the ledger is intact, in one line. `children`: where to go from there. */
export function ChainState({ children }: { readonly children?: ReactNode }) {
  const { data: chain, error } = useQuery({
    queryKey: ['audit-chain'],
    queryFn: ({ signal }) => answerOf(api.GET('/audit/chain', { signal })),
    refetchInterval: 30_000,
  });
  return (
    <p className="chain-state" role="status">
      {chain === undefined &&
        (error === null ? <span className="muted">Examining the ledger…</span> : <span className="muted">The state of the ledger is unknown.</span>)}
      {chain?.state === 'intact' && (
        <>
          <Tag tone="good">
            <span aria-hidden="true">✓</span>newest records intact
          </Tag>
          <span className="muted">
            {numbersOf(chain.chains)}head signed <Time iso={chain.signed_at ?? ''} relative />. {children}
          </span>
        </>
      )}
      {chain !== undefined && chain.state !== 'intact' && (
        <>
          <Tag tone="bad">
            <span aria-hidden="true">✕</span>
            {chain.state === 'broken' ? 'records changed' : 'no signed head'}
          </Tag>
          <span>
            {chain.state === 'broken'
              ? 'The newest records do not fit the head: records were changed or removed.'
              : 'The ledger has no head that its key signed.'}{' '}
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
