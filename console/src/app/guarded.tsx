import type { ReactNode } from 'react';
import { RightMissing } from '../parts/right-missing.tsx';
import { can, type Right, useMe } from './session.ts';

/** What needs a right, or which right is missing. The gateway checks it again for each request. */
export function Guarded({ right, children }: { readonly right: Right | null; readonly children: ReactNode }) {
  const me = useMe();
  return right === null || can(me, right) ? children : <RightMissing right={right} />;
}
