import { type Right, useMe } from '../../app/session.ts';

/** Whether the person has the right, and why not. The gateway checks it again. */
export function useRight(right: Right): { readonly allowed: boolean; readonly why: string } {
  const { allowed, detail } = useMe().rights[right] ?? { allowed: false, detail: null };
  return { allowed, why: detail ?? `This needs the right ${right}.` };
}
