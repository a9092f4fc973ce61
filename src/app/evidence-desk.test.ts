// Evidence for the console: made in a thread, from the configuration in use, one at a time.
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { StatePaths } from '../config/state-dir.ts';
import type { EvidenceDesk, EvidenceJob, EvidenceStep } from '../edge/http/api/evidence/protocol.ts';
import { writeRecords } from '../record/ledger/chain/chain.fixture.ts';
import { tempState } from '../record/ledger/lines.fixture.ts';
import { openStore } from '../store/store.ts';
import { createEvidenceDesk } from './evidence-desk.ts';

let paths: StatePaths;
let remove: () => void;
let desk: EvidenceDesk;
beforeEach(async () => {
  ({ paths, remove } = tempState());
  writeRecords(paths, 3);
  await (await openStore({ at: paths.storeFile, clock: Date.now })).close();
  const configFile = join(paths.root, 'lictor.yaml');
  writeFileSync(configFile, 'public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:9" }\n');
  copyFileSync(configFile, paths.configInUse);
  desk = createEvidenceDesk({ configFile, paths });
});
afterEach(async () => {
  await desk.close();
  remove();
});

const JOB: EvidenceJob = { job: 'report', from: '2026-03-01T00:00:00.000Z', to: '2026-04-01T00:00:00.000Z', by: 'dora@corp', nowMs: Date.parse('2026-05-01') };

async function last(job: EvidenceJob): Promise<EvidenceStep | undefined> {
  let step: EvidenceStep | undefined;
  for await (step of desk.run(job));
  return step;
}

it('makes the files of lictor evidence, and no second report meanwhile', { timeout: 30_000 }, async () => {
  const first = last(JOB);
  await expect(desk.run(JOB).next()).rejects.toMatchObject({ code: 'evidence-busy' });
  const made = await first;
  if (made?.type !== 'made') throw new Error(made?.type);
  expect(made.files.map(([name]) => name)).toEqual(['report.html', 'report.md', 'access-review.csv', 'data.json', 'head.json', 'SHA256SUMS']);
  expect([made.verification.proven, made.verification.records, made.document.title]).toEqual([true, 3, 'Access review and audit evidence']);
  expect(Object.fromEntries(made.files)['report.html']).toContain('by dora@corp');
  expect(await last({ ...JOB, job: 'verify' })).toMatchObject({ type: 'verified', verification: { proven: true, doubt: null, problems: [] } });
});

it('ends after its time', { timeout: 30_000 }, async () => {
  const slow = createEvidenceDesk({ configFile: '', paths }, 0);
  await expect(slow.run(JOB).next()).rejects.toMatchObject({ code: 'evidence-too-long' });
});
