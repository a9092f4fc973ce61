// Ends a worker thread by a message.
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';

/** Resolves when the thread has ended, also when it ended earlier. */
export async function endThread(thread: Worker | undefined, message: unknown): Promise<void> {
  if (thread === undefined || thread.threadId === -1) return;
  const ended = once(thread, 'exit');
  thread.postMessage(message);
  await ended;
}
