// Checks own policies on a thread: Cedar's validator takes seconds for a large set, and no decision may wait for it.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ActionEntry } from '../../../prefect/catalog/actions.ts';
import { type CheckedPolicies, NO_POLICIES } from './check.ts';
import type { CheckRequest } from './check-thread.ts';

/** As `loadOwnPolicies`. Rejects when the thread fails. */
export async function checkByThread(actions: readonly ActionEntry[], directory: string | null): Promise<CheckedPolicies> {
  if (directory === null) return { policies: NO_POLICIES, problems: [], warnings: [] };
  const workerData: CheckRequest = { actions, directory };
  const thread = new Worker(new URL('./check-thread.ts', import.meta.url), { name: 'policies', workerData });
  try {
    // An `error` of the thread rejects. A thread that ends without an answer is an error as well.
    const ended = once(thread, 'exit').then(() => Promise.reject(new Error('the check of policies ended without an answer')));
    const [checked] = await Promise.race([once(thread, 'message'), ended]);
    return checked;
  } finally {
    await thread.terminate();
  }
}
