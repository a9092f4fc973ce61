import { isTemporary, waitMs } from '../../api/problem.ts';

/** What a person must change (a login, a right, an id) is not tried again. */
export function retryMs(problem: unknown): number | null {
  return isTemporary(problem) ? waitMs(2, problem) : null;
}
