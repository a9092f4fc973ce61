// Applying and rolling back: one write each, and what its answer means for the draft.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.ts';
import { Problem } from '../../api/problem.ts';
import type { Files } from './draft.ts';

/** The client fills the proof of the session in. */
const WRITE = { header: { 'x-csrf-token': '' } };

export interface Applying {
  readonly base: number;
  readonly files: Files;
  readonly why: string;
}

export interface RollingBack {
  readonly base: number;
  readonly revision: number;
  readonly why: string;
}

interface Applied {
  readonly from: number;
  readonly to: number;
}

export function useApply(onApplied: (applied: Applied) => void) {
  return useWrite(({ files, ...rest }: Applying) => answerOf(api.PUT('/policies', { params: WRITE, body: { ...rest, files: { ...files } } })), onApplied);
}

export function useRollBack(onApplied: (applied: Applied) => void) {
  return useWrite((body: RollingBack) => answerOf(api.POST('/policies/rollback', { params: WRITE, body })), onApplied);
}

/** Everything that this view shows may be another set now, whether the write succeeded or not. */
function useWrite<T>(write: (input: T) => Promise<Applied>, onApplied: (applied: Applied) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: write,
    onSuccess: onApplied,
    onSettled: () => client.invalidateQueries({ queryKey: ['policies'] }),
  });
}

/** The second of two editors. */
export function isConflict(error: unknown): boolean {
  return error instanceof Problem && error.code === 'policies-changed';
}
