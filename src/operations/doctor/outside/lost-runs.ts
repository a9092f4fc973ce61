// Runs that Prefect shows as running and that cannot report: their worker's credential has ended.

import type { OrphanedRun } from '../../../store/orphaned-runs.ts';
import { ok, type Verdict, warn } from '../finding.ts';
import { listOf } from './lists.ts';
import { notReached, type UpstreamSubject } from './upstream.ts';

const NAMED = 5;

/** The runs among these that are still open in Prefect. */
export async function checkLostRuns(servers: readonly UpstreamSubject[], orphaned: readonly OrphanedRun[]): Promise<readonly Verdict[]> {
  const none = ok('no running flow run has a worker whose credential has ended');
  if (orphaned.length === 0) return [none];
  const state = { type: { any_: ['PENDING', 'RUNNING', 'CANCELLING'] } };
  const found = await listOf(servers, '/api/flow_runs/filter', { flow_runs: { id: { any_: orphaned.map(({ id }) => id) }, state }, limit: 200 });
  if (found === undefined) return [notReached('the lost runs', `${servers[0]?.url ?? ''}/api/flow_runs/filter`, 'no list of runs')];
  const open = new Set(found.map(({ id }) => id));
  const lost = orphaned.filter(({ id }) => open.has(id));
  if (lost.length === 0) return [none];
  const names = lost.slice(0, NAMED).map(({ id, worker }) => `${id} of ${worker}`);
  return [
    warn(
      `${lost.length} runs cannot report their end, because their worker's credential has ended: ${names.join(', ')}${lost.length > NAMED ? ', ...' : ''}`,
      'When its process has ended, set each to Crashed in Prefect. Give the worker a valid credential. An automation can do it: docs/how-to/lost-runs.md.',
    ),
  ];
}
