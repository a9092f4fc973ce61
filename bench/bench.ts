// A whole bench: one stub upstream, one real gateway, and everything measured against the same things done without it.
import { realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Progress } from '../demo/progress.ts';
import type { Running } from '../demo/running.ts';
import { openEdgeSecret } from '../src/config/keys/edge-secret.ts';
import type { Environment } from '../src/config/load.ts';
import { statePaths } from '../src/config/state-dir.ts';
import { findNginx } from '../src/edge/nginx/version.ts';
import { freePort } from '../src/operations/supervise/processes/free-port.ts';
import { type AddedParts, measureMediated, measureSocket } from './added.ts';
import { measureDecisions } from './decision.ts';
import { CONNECTIONS, measureDirect } from './direct.ts';
import { measureFlow } from './flow.ts';
import { type BenchGateway, prepareBenchGateway, startBenchGateway } from './gateway.ts';
import { describeMachine } from './machine.ts';
import { measureMcp } from './mcp.ts';
import { measureMemory } from './memory.ts';
import { type NginxParts, renderUpstream, startNginx } from './nginx.ts';
import { type Spread, spread } from './numbers.ts';
import type { BenchResult, DecisionCost } from './result.ts';
import { type Arrivals, startArrivals } from './socket.ts';

const STARTS = 5;
const OWN_POLICIES = [
  { own: 0, about: 'all', scoped: false },
  { own: 200, about: 'a fifth', scoped: false },
  { own: 200, about: 'all', scoped: false },
  { own: 200, about: 'a fifth', scoped: true },
] as const;

export interface BenchParts {
  /** Of this bench's own; removed by the caller. */
  readonly root: string;
  readonly env: Environment;
  /** Of each run of wrk. */
  readonly seconds: number;
  readonly rounds: number;
  /** Venv with Prefect in it; null: no flow. */
  readonly venv: string | null;
  readonly running: Running;
  readonly progress: Progress;
}

/** Everything is started through `running`, which the caller stops. */
export async function bench(parts: BenchParts): Promise<BenchResult> {
  const { root, env, seconds, rounds, venv, running, progress } = parts;
  const version = await findNginx({ ...env });
  const machine = describeMachine(version.text);
  const arrivals = await startArrivals();
  try {
    const nginx: NginxParts = { binary: version.binary, root, workers: Math.max(2, availableParallelism()), running };
    const servicePort = await freePort();
    const upstreamPort = await startNginx(nginx, 'upstream', (port) => renderUpstream(port, servicePort, arrivals.port));
    const gateway = await prepareBenchGateway(root, 'gateway', { upstreamPort, servicePort, authString: 'gateway:bench' });
    const startSeconds = await measureStarts(parts, gateway);
    const supervisor = await startBenchGateway(gateway, running);
    const added: AddedParts = { gateway, upstreamPort, seconds, rounds, progress };
    // Where nginx's workers can reach it: not through the state directory, which is ours alone.
    const { decisionSocket, edgeSecret } = statePaths(gateway.places.state, realpathSync(join(gateway.places.state, 'run')));
    const decisionDoor = { socket: decisionSocket, secret: openEdgeSecret({ edgeSecret }) };
    const { rows: direct, ledgerSeconds } = await measureDirect({ ...added, nginx, decisions: decisionDoor, env });
    const memory = measureMemory(supervisor.pid);
    const decisions = await progress.step(
      'Deciding by policies',
      measureEach,
      (costs) =>
        `A decision takes ${costs.map(({ own, about, scoped, p50Ms }) => `${p50Ms.toFixed(2)} ms (${own} own policies, ${about} about it${scoped ? ', by a scope' : ''})`).join(', ')}`,
    );
    const [mediated, socket] = await measureAdded(added, arrivals);
    const mcp = await measureMcp({ ...added, root, running, supervisor: supervisor.pid });
    await supervisor.stop();
    const flow = venv === null ? null : await measureFlow({ root, venv, rounds, running, progress });
    return {
      at: new Date().toISOString(),
      machine,
      seconds,
      rounds,
      connections: CONNECTIONS,
      direct,
      ledgerSeconds,
      decisions,
      mediated,
      socket,
      mcp,
      memory,
      startSeconds,
      flow,
    };
  } finally {
    await arrivals.close();
  }
}

/** One after the other: they share the cores with nothing. */
async function measureEach(): Promise<readonly DecisionCost[]> {
  const costs: DecisionCost[] = [];
  for (const kind of OWN_POLICIES) costs.push(await measureDecisions(kind));
  return costs;
}

async function measureAdded(parts: AddedParts, arrivals: Arrivals) {
  const mediated = await measureMediated(parts);
  return [mediated, await measureSocket(parts, arrivals)] as const;
}

/** From the start of the command to the first answer of `/.lictor/ready`, which is asked every 50 ms. */
function measureStarts({ running, progress }: BenchParts, gateway: BenchGateway): Promise<Spread> {
  return progress.step(
    `Starting the gateway ${STARTS} times`,
    async () => {
      const times: number[] = [];
      for (let start = 0; start < STARTS; start += 1) {
        const startedMs = performance.now();
        const process = await startBenchGateway(gateway, running);
        times.push((performance.now() - startedMs) / 1000);
        await process.stop();
      }
      return spread(times);
    },
    ({ median }) => `The gateway is ready after ${median.toFixed(2)} s`,
  );
}
