import { type Right, useMe, whyNot } from '../app/session.ts';
import { EmptyState } from './empty-state.tsx';
import { PageHead } from './page-head.tsx';
import { UntrustedText } from './untrusted-text.tsx';

export function RightMissing({ right }: { readonly right: Right }) {
  const me = useMe();
  return (
    <>
      <PageHead title="You may not see this" />
      <EmptyState title={`It needs the right ${right}.`}>
        <p>{whyNot(me, right)}</p>
        <p className="muted">
          You are signed in as <UntrustedText text={me.principal} /> with {me.roles.length === 0 ? 'no role' : `the roles ${me.roles.join(', ')}`}.
        </p>
      </EmptyState>
    </>
  );
}
