// Which names that begin with `prefect.` a principal may use: what Prefect's own clients report, by kind of principal.
//
// Everything else below `prefect.` is said by Prefect's server (states of flow runs, automations, deployments, pools, queues):
// its recorder and people's automations take it for the truth. `lictor.` is the gateway's own.
import type { PrincipalKind } from '../contract/principal.ts';

/** What code that runs flows and tasks reports (3.6 to 3.9). A task run's event ends in the state's name, which authors choose. */
const OF_RUNS: readonly RegExp[] = [
  /^prefect\.task-run\./,
  /^prefect\.flow-run\.heartbeat$/,
  /^prefect\.flow-run\.pull-step\.(?:executed|failed)$/,
  /^prefect\.artifact\.(?:created|updated)$/,
  /^prefect\.asset\.(?:referenced|observed|materialization\.[a-z]+)$/,
  /^prefect\.concurrency-limit\.(?:v1\.)?(?:acquired|released)$/,
  /^prefect\.block\.[\w-]+\./,
];

/** Beside them: worker, runner and the integrations that watch their infrastructure; `prefect transfer`. */
const OF_MACHINES: readonly RegExp[] = [
  ...OF_RUNS,
  /^prefect\.worker\.(?:started|stopped|submitted-flow-run|executed-flow-run)$/,
  /^prefect\.runner\.[a-z-]+$/,
  /^prefect\.(?:kubernetes\.pod|docker\.container|ecs\.task|armada\.job)\.[\w-]+$/,
  /^prefect\.workspace\.transfer\.(?:started|completed)$/,
];

const BY_KIND: Readonly<Record<PrincipalKind, readonly RegExp[]>> = {
  run: OF_RUNS,
  worker: OF_MACHINES,
  service: OF_MACHINES,
  user: OF_MACHINES,
  agent: [],
};

/** A name outside `prefect.` and `lictor.` is anybody's. Case is no way round: whoever reads events may not care for it. */
export function mayName(kind: PrincipalKind, name: string): boolean {
  const lower = name.toLowerCase();
  if (lower.startsWith('lictor.')) return false;
  return !lower.startsWith('prefect.') || BY_KIND[kind].some((pattern) => pattern.test(name));
}
