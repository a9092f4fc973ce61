// 2,000 workers on two nodes behind HAProxy: no error, memory that stays, and a node lost. LICTOR_ENDURANCE_SECONDS shortens the ten minutes.
//
// The upstream repeats the answers of a real Prefect, which would share the two cores (docs/explanation/scale.md).
import { afterEach, expect, it } from 'vitest';
import { directTo, sharedPrefect } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { type Postgres, startPostgres } from '../env/several/postgres.ts';
import {
  type KeptSample,
  loseNode,
  measureIdle,
  measureSteady,
  openScene,
  type Scene,
  type SceneOptions,
  type Steady,
  startWorkers,
} from './many-workers/cluster-load.ts';
import type { Fleet } from './many-workers/fleet.ts';
import { describePaper, describeWorker, onPaper } from './many-workers/paper.ts';
import { record, startRecorded } from './many-workers/recorded.ts';

const SECONDS = Number(process.env['LICTOR_ENDURANCE_SECONDS'] ?? 600);
if (!(SECONDS >= 60)) throw new Error('LICTOR_ENDURANCE_SECONDS: 60 at least');
/** Half of a run is for warming up: five of the ten minutes. */
const FROM_MINUTES = SECONDS / 60 / 2;
/** A shorter run sees caches being filled and collections that are still to come. */
const MOST_MIB_PER_MINUTE = SECONDS >= 600 ? 1 : 60;
const MOST_BEHIND_SECONDS = 10;
const AUTH_STRING = 'gateway:many-workers';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function open(options: Omit<SceneOptions, 'postgres'>): Promise<Scene> {
  const postgres: Postgres = await startPostgres();
  closers.push(() => postgres.stop());
  const scene = await openScene({ ...options, postgres });
  closers.push(() => scene.cluster.close());
  return scene;
}

async function started(scene: Scene, perSecond: number): Promise<Fleet> {
  const fleet = startWorkers(scene, perSecond);
  closers.push(async () => fleet.stop());
  const all = scene.places.length;
  await waitFor(() => fleet.served(0) === all, { what: `${all} workers to be served`, timeoutMs: 120_000, everyMs: 500 });
  return fleet;
}

function expectSteady({ counts, measured, slopes, mostBehind }: Steady, workers: number, seconds: number): void {
  expect(counts.problems).toEqual({});
  // A worker that got no answer would have polled less often. The intervals have jitter.
  expect(counts.polls).toBeGreaterThan((workers * seconds * 0.95) / 10);
  expect(counts.heartbeats).toBeGreaterThan((workers * seconds * 0.85) / 30);
  for (const slope of slopes) expect(slope, 'MiB a minute of a node').toBeLessThan(MOST_MIB_PER_MINUTE);
  expect(mostBehind, 'records that the other node lacks').toBeLessThan(measured.records * MOST_BEHIND_SECONDS);
}

function shown({ heap, external, resident }: KeptSample): string {
  return `${heap.toFixed(0)}+${external.toFixed(0)}/${resident.toFixed(0)}`;
}

function show({ counts, measured, slopes, kept, mostBehind }: Steady): void {
  const sorted = counts.pollMs.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(1);
  const lines = [
    `${measured.workers} workers: ${counts.polls} polls, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; ${counts.heartbeats} heartbeats; ${JSON.stringify(counts.problems)}`,
    ...kept.map((samples, index) => `node ${index}, MiB without garbage: ${samples.map(shown).join(' ')}; ${slopes[index]?.toFixed(2)} a minute`),
    `${measured.records.toFixed(1)} records/s of ${measured.recordBytes.toFixed(0)} bytes, at most ${mostBehind} behind`,
    JSON.stringify(measured),
    describeWorker(measured),
    describePaper(onPaper(measured, measured.workers, 1)),
    describePaper(onPaper(measured, 10_000)),
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
}

it('2,000 workers are served without an error, in memory that does not grow, also after the loss of a node', async () => {
  const [workers, pools] = [2000, 20];
  await directTo(sharedPrefect()).post('/work_pools/', { name: 'recorded', type: 'process' });
  const upstream = await startRecorded(await record(sharedPrefect(), 'recorded'));
  closers.push(() => upstream.close());
  const scene = await open({ upstream: { urls: [upstream.url], authString: AUTH_STRING }, workers, pools });
  const idle = await measureIdle(scene, 20);
  const fleet = await started(scene, 100);
  const steady = await measureSteady(scene, fleet, { seconds: SECONDS, fromMinutes: FROM_MINUTES, idle });
  show(steady);
  expectSteady(steady, workers, SECONDS);
  fleet.reset();
  const seconds = await loseNode(scene, fleet);
  process.stderr.write(`all served ${seconds.toFixed(1)} s after the loss; ${JSON.stringify(fleet.counts().problems)}\n`);
  expect(seconds).toBeLessThan(60);
});
