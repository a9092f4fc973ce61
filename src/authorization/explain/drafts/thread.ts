// The thread of drafts.ts: one job, then it ends.
import { parentPort, workerData } from 'node:worker_threads';
import { openStore } from '../../../store/store.ts';
import { checkPolicyFiles } from '../../policy/own/check.ts';
import { patchesBetween } from '../../policy/own/patches.ts';
import { testPolicyFiles, withVectors } from '../../policy/own/tested.ts';
import { simulateLedger } from '../simulate-ledger.ts';
import type { CheckJob, SimulateJob, ThreadData, ThreadMessage } from './protocol.ts';

/** Of each group. The count of a group has all of them. */
const MOST_REQUESTS = 1_000;

// Given by drafts.ts alone.
const { actions, storeAt, ledgerFile, job } = workerData as ThreadData;
const post = (message: ThreadMessage): void => parentPort?.postMessage(message);
if (job.job === 'check') await check(job);
else if (job.job === 'compare') post({ type: 'compared', patches: await patchesBetween(job.from, job.to) });
else await simulate(job);

async function check({ files, from }: CheckJob): Promise<void> {
  const checked = testPolicyFiles(actions, files);
  post({ type: 'checked', checked: { ...checked, patches: await patchesBetween(from, { label: 'this draft', files }) } });
}

/** As `lictor simulate`: a draft whose vectors fail is simulated. */
async function simulate({ files, since, nowMs, config }: SimulateJob): Promise<void> {
  const checked = checkPolicyFiles(actions, files);
  if (checked.problems.length > 0) return post({ type: 'invalid', checked: withVectors(actions, checked) });
  post({ type: 'started' });
  const store = await openStore({ at: storeAt, clock: () => nowMs });
  try {
    const simulation = await simulateLedger({
      ...{ actions, since, nowMs, config, store, ledgerFile },
      candidate: checked.policies.texts,
      mostRequests: MOST_REQUESTS,
      onProgress: (progress) => post({ type: 'progress', progress }),
    });
    post({ type: 'simulated', simulation });
  } finally {
    await store.close();
  }
}
