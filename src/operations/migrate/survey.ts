// One survey of the move: the workers that Prefect knows, the way that each takes, and the runs without a credential of Lictor.
import { connect } from 'node:net';
import { askForWorkers } from '../../authorization/decide/ask-control-plane.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import type { Clock } from '../../contract/clock.ts';
import { readHeartbeats } from '../doctor/inside/worker-records.ts';
import { allWorkers, type ListedWorker } from '../doctor/outside/all-workers.ts';
import { type ComparedWorker, compareWorkers, counted } from '../doctor/outside/compare-workers.ts';
import { type Item, type Pages, readPages } from '../doctor/outside/read-pages.ts';
import type { UpstreamSubject } from '../doctor/outside/upstream.ts';
import { type DeniedWorkers, readSeenRecords } from './seen-records.ts';

export interface Survey {
  readonly workers: readonly ComparedWorker[];
  readonly offline: readonly ListedWorker[];
  readonly denied: readonly DeniedWorkers[];
  readonly directRuns: readonly DirectRun[];
  readonly through: number;
  readonly of: number;
  /** Until a process that is left under the name of a moved worker has sent a heartbeat. 0: that time is over. */
  readonly secondsLeft: number;
}

export interface DirectRun {
  readonly id: string;
  readonly name: string;
  readonly pool: string | null;
}

export interface SurveyParts {
  readonly servers: readonly UpstreamSubject[];
  readonly paths: Pick<StatePaths, 'adminSocket' | 'ledgerFile'>;
  readonly clock: Clock;
}

/** `why`: a sentence with the problem. */
export type Surveyed = { readonly ok: true; readonly survey: Survey } | { readonly ok: false; readonly why: string };

/** A stock worker's interval of heartbeats, and the time until Prefect answers with it. */
const HEARTBEAT_MS = 35_000;

const ACTIVE = { flow_runs: { state: { type: { any_: ['PENDING', 'RUNNING', 'CANCELLING'] } } } };

/** Never rejects because a server is away. */
export async function survey({ servers, paths, clock }: SurveyParts): Promise<Surveyed> {
  // Prefect first: a worker that moves between the two answers is then on the channel with a later heartbeat.
  const known = await allWorkers(servers, 'all');
  if (!known.ok) return known;
  const channels = await askForWorkers(paths.adminSocket);
  if (channels === 'away') return { ok: false, why: 'The gateway does not run with this state directory' };
  if (channels === undefined) return { ok: false, why: 'The control plane does not answer' };
  const active = await activeRuns(servers);
  if (!active.ok) return active;
  const { denied, directRuns } = await readSeenRecords(paths.ledgerFile, active.items, clock());
  const workers = compareWorkers(known.online, { channels, heartbeats: await readHeartbeats(paths.ledgerFile, clock()) });
  const those = counted(workers);
  const firstSeen = those.flatMap(({ firstSeenMs }) => firstSeenMs ?? []);
  const through = those.filter(({ way }) => way === 'gateway').length;
  return {
    ok: true,
    survey: {
      workers,
      offline: known.offline,
      denied,
      directRuns: directRuns.map(runOf),
      through,
      of: those.length,
      secondsLeft: secondsLeft(firstSeen, clock()),
    },
  };
}

/** The same survey, some time after one that found a second process. Such a process is seen only until the worker's next heartbeat. */
export function afterDoubt(found: Survey, doubtMs: number, nowMs: number): Survey {
  return { ...found, secondsLeft: Math.max(found.secondsLeft, secondsLeft([doubtMs], nowMs)) };
}

function secondsLeft(sinceMs: readonly number[], nowMs: number): number {
  return Math.max(0, Math.ceil((Math.max(...sinceMs) + HEARTBEAT_MS - nowMs) / 1000));
}

async function activeRuns([subject, ...others]: readonly UpstreamSubject[]): Promise<Pages> {
  if (subject === undefined) return { ok: false, why: 'lictor.yaml names no server of Prefect' };
  const found = await readPages(subject, '/api/flow_runs/filter', ACTIVE);
  return found.ok || others.length === 0 ? found : activeRuns(others);
}

function runOf(run: Item): DirectRun {
  const pool = run['work_pool_name'];
  return { id: String(run['id']), name: String(run['name']), pool: typeof pool === 'string' ? pool : null };
}

const CONNECT_MS = 5_000;

/** This machine's address on the way to a server of Prefect. Undefined: no connection. */
export function addressTowards(url: string): Promise<string | undefined> {
  const { hostname, port, protocol } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port !== '' ? port : protocol === 'https:' ? 443 : 80),
      timeout: CONNECT_MS,
    });
    const end = (address: string | undefined): void => {
      socket.destroy();
      resolve(address);
    };
    socket.once('connect', () => end(socket.localAddress));
    socket.once('timeout', () => end(undefined));
    socket.once('error', () => end(undefined));
  });
}
