// A stock flow of 100 mapped tasks against a real Prefect: directly, and through a separate gateway.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { startPrefectServer } from '../demo/prefect.ts';
import { type Call, callerWith } from '../demo/prefect-api.ts';
import type { Progress } from '../demo/progress.ts';
import type { Running } from '../demo/running.ts';
import { LictorError } from '../src/contract/error.ts';
import { freePort } from '../src/operations/supervise/processes/free-port.ts';
import { waitFor } from '../src/operations/supervise/processes/wait-for.ts';
import { prepareBenchGateway, startBenchGateway } from './gateway.ts';
import { ratios, spread } from './numbers.ts';
import type { FlowTimes } from './result.ts';
import { interleaved } from './rounds.ts';

const SCRIPT = fileURLToPath(new URL('./mapped.py', import.meta.url));
const TASKS = 100;
const PATIENCE_MS = 120_000;

const run = promisify(execFile);

export interface FlowParts {
  readonly root: string;
  /** Venv with Prefect in it. */
  readonly venv: string;
  readonly rounds: number;
  readonly running: Running;
  readonly progress: Progress;
}

export async function measureFlow(parts: FlowParts): Promise<FlowTimes> {
  const authString = `gateway:${randomBytes(24).toString('base64url')}`;
  const { port, gateway } = await parts.progress.step(
    'Starting a real Prefect and a gateway in front of it',
    () => startBoth(parts, authString),
    () => 'Prefect and its gateway run',
  );
  const prefect = `http://127.0.0.1:${port}`;
  const settled = settling(callerWith(prefect, { authorization: `Basic ${Buffer.from(authString).toString('base64')}` }));
  const contender = (name: string, url: string, secret: string) => ({
    name,
    measure: async () => {
      const seconds = await runFlow(parts, name, { PREFECT_API_URL: `${url}/api`, PREFECT_API_AUTH_STRING: secret });
      await settled();
      return seconds;
    },
  });
  const contenders = [contender('direct', prefect, authString), contender('gateway', gateway.url, `bench:${gateway.token}`)];
  for (const { measure } of contenders) await measure();
  const measured = await interleaved(contenders, parts.rounds, parts.progress, `A flow of ${TASKS} mapped tasks`);
  const [direct = [], through = []] = [measured.get('direct'), measured.get('gateway')];
  return { tasks: TASKS, directSeconds: spread(direct), gatewaySeconds: spread(through), ratio: ratios(through, direct) };
}

async function startBoth({ root, venv, running }: FlowParts, authString: string) {
  const port = await freePort();
  const gateway = await prepareBenchGateway(root, 'flow-gateway', { upstreamPort: port, authString });
  const home = gateway.places.prefectHome;
  const logFile = join(gateway.places.log, 'prefect.log');
  await running.add((isEnding) => startPrefectServer({ venv, home, port, authString, logFile, isEnding }));
  await startBenchGateway(gateway, running);
  return { port, gateway };
}

const Count = z.number();
const Total = z.object({ total: z.number() });

/**
 * After each flow: resolves when Prefect has stored what it has heard of it, some seconds after its end. A flow that begins before finds the database
 * locked (503), and its client waits two seconds for that, with a gateway and without.
 */
function settling(call: Call): () => Promise<void> {
  let flows = 0;
  return async () => {
    flows += 1;
    const isStored = async (): Promise<boolean> => {
      const runs = Count.parse(await call('POST', '/task_runs/count', { task_runs: { state: { type: { any_: ['COMPLETED'] } } } }));
      const events = Total.parse(await call('POST', '/events/filter', { filter: { event: { name: ['prefect.task-run.Completed'] } }, limit: 1 }));
      return Math.min(runs, events.total) >= flows * TASKS;
    };
    await waitFor(isStored, { what: 'Prefect to have stored the tasks of the flow', timeoutMs: PATIENCE_MS, everyMs: 250 });
  };
}

/** Seconds inside the flow call. */
async function runFlow({ root, venv }: FlowParts, name: string, settings: Readonly<Record<string, string>>): Promise<number> {
  const home = join(root, `client-${name}`);
  mkdirSync(home, { recursive: true });
  const inherited = Object.entries(process.env).filter(([key]) => !key.startsWith('PREFECT_'));
  const env = { ...Object.fromEntries(inherited), PREFECT_HOME: home, PREFECT_LOGGING_LEVEL: 'WARNING', DO_NOT_TRACK: '1', ...settings };
  const { stdout } = await run(join(venv, 'bin', 'python'), [SCRIPT, String(TASKS)], { cwd: home, env, timeout: PATIENCE_MS });
  const seconds = Number(/^seconds=([\d.]+)$/m.exec(stdout)?.[1]);
  if (!Number.isFinite(seconds)) throw new LictorError('bench-flow', `the flow (${name}) did not say how long it took: ${stdout.slice(-500)}`);
  return seconds;
}
