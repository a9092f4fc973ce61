// The thread that makes evidence for the console: one job, then it ends. src/app/evidence-desk.ts starts it.
import { parentPort, workerData } from 'node:worker_threads';
import { loadInUse } from '../../config/in-use.ts';
import { LictorError } from '../../contract/error.ts';
import type { EvidenceJob, EvidencePlaces, EvidenceStep, Verification } from '../../edge/http/api/evidence/protocol.ts';
import { findNginx } from '../../edge/nginx/version.ts';
import { openStore } from '../../store/store.ts';
import type { LedgerState } from './data.ts';
import { examine } from './examine.ts';
import { makeEvidence } from './make.ts';
import { reportOf } from './report.ts';
import { whyNotProven } from './sections/ledger.ts';

const MOST_PROBLEMS = 100;

// Given by evidence-desk.ts alone.
const { job, paths, configFile } = workerData as EvidencePlaces & { readonly job: EvidenceJob };
const post = (step: EvidenceStep): void => parentPort?.postMessage(step);
if (job.job === 'report') await makeReport();
else post({ type: 'verified', verification: verificationOf(examine(paths, (records) => post({ type: 'progress', phase: 'ledger', records })).state) });

async function makeReport(): Promise<void> {
  const { from, to, by, nowMs } = job;
  const loaded = loadInUse({ file: configFile, env: process.env, paths }, 'skip');
  if (loaded?.ok !== true) throw new LictorError('config-invalid', 'The configuration in use cannot be read.');
  const { config } = loaded;
  const nginx = await findNginx(process.env).then(
    ({ text }) => text,
    () => null,
  );
  const store = await openStore({ at: config.storeAt, clock: () => nowMs });
  try {
    const onProgress = (progress: Pick<Extract<EvidenceStep, { type: 'progress' }>, 'phase' | 'records'>): void => post({ type: 'progress', ...progress });
    const { data, files } = await makeEvidence({ config, configFile, paths, store, from, to, by, nginx, nowMs, onProgress });
    post({ type: 'made', document: reportOf(data), files: files(), verification: verificationOf(data.ledger) });
  } finally {
    await store.close();
  }
}

function verificationOf(state: LedgerState): Verification {
  const { report } = state;
  const doubt = whyNotProven(state);
  return {
    ...{ proven: doubt === null, doubt },
    records: (report?.chains ?? []).reduce((sum, { records }) => sum + records, 0),
    checkpoints: report?.checkpoints ?? 0,
    signed_at: report?.signedAt ?? null,
    pruned: report?.pruned.length ?? 0,
    problems: (report?.problems ?? []).slice(0, MOST_PROBLEMS).map(({ message }) => message),
  };
}
