// The thread of check-by-thread.ts: one directory, then it ends.
import { parentPort, workerData } from 'node:worker_threads';
import type { ActionEntry } from '../../../prefect/catalog/actions.ts';
import { loadOwnPolicies } from './check.ts';

export interface CheckRequest {
  readonly actions: readonly ActionEntry[];
  readonly directory: string;
}

// Given by check-by-thread.ts alone.
const { actions, directory } = workerData as CheckRequest;
parentPort?.postMessage(loadOwnPolicies(actions, directory));
