// The demo in order: Prefect and gateway, accounts and tokens, a deployment, a worker, and a run that alice starts.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { freePort } from '../src/operations/supervise/processes/free-port.ts';
import { startGateway } from './lictor.ts';
import { type Cast, createCast } from './people.ts';
import { type DemoPlaces, prepareDemo } from './places.ts';
import { startPrefectServer, startWorker } from './prefect.ts';
import { callerWith, createDeployment, createPool } from './prefect-api.ts';
import type { Progress } from './progress.ts';
import { runSample, type SampleRun, timelineNaming } from './run.ts';
import type { Running } from './running.ts';
import { type Afterwards, castLines, clientLines, pageLine } from './show.ts';

const POOL = 'demo';

export interface DemoParts {
  readonly places: DemoPlaces;
  readonly port: number;
  /** Venv with Prefect in it. */
  readonly venv: string;
  readonly running: Running;
  readonly progress: Progress;
  readonly afterwards: Afterwards;
}

/** Starts everything, runs the sample once. True when the run completed and its timeline names alice. */
export async function demo(parts: DemoParts): Promise<boolean> {
  const { places, port, progress } = parts;
  const url = `http://localhost:${port}`;
  const settings = { port, prefectPort: await freePort(), authString: `gateway:${randomBytes(24).toString('base64url')}` };
  prepareDemo(places, settings);
  const cast = await progress.step(
    'Starting Prefect and the gateway',
    () => startBoth(parts, url, settings),
    () => `Prefect runs; the gateway is ready at ${url}`,
  );
  const deploymentId = await progress.step(
    'Deploying the sample flow and starting a worker',
    () => deploy(parts, url, cast),
    () => 'Deployment sample/demo (tag team-a) and a process worker are there',
  );
  for (const line of ['', ...castLines(cast), '', ...clientLines(url, cast.sampleToken), '']) progress.line(line);
  const sample = await progress.step(
    'alice runs sample/demo',
    (update) => runSample(url, cast.alice, deploymentId, update),
    ({ run }) => `Run ${run.name}: ${run.state_name ?? run.state_type}`,
  );
  return showTimeline(parts, url, cast, sample);
}

interface Settings {
  readonly prefectPort: number;
  readonly authString: string;
}

async function startBoth({ places, venv, running }: DemoParts, url: string, { prefectPort, authString }: Settings): Promise<Cast> {
  const logFile = join(places.log, 'prefect.log');
  const prefect = running.add((isEnding) => startPrefectServer({ venv, home: places.prefectHome, port: prefectPort, authString, logFile, isEnding }));
  const gateway = createCast(places).then(async (cast) => {
    await running.add((isEnding) => startGateway(places, url, isEnding));
    return cast;
  });
  const [cast] = await Promise.all([gateway, prefect]);
  return cast;
}

async function deploy({ places, venv, running }: DemoParts, url: string, cast: Cast): Promise<string> {
  const call = callerWith(url, { authorization: `Bearer ${cast.sampleToken}` });
  await createPool(call, POOL);
  const logFile = join(places.log, 'worker.log');
  await running.add(() => startWorker({ venv, home: places.workerHome, gatewayUrl: url, token: cast.workerToken, pool: POOL, logFile }));
  return createDeployment(call, POOL);
}

function commandOf({ configFile, state }: DemoPlaces): string {
  return `${process.env['LICTOR_COMMAND'] ?? 'lictor'} -c ${configFile} --state-dir ${state}`;
}

async function showTimeline({ places, progress, afterwards }: DemoParts, url: string, cast: Cast, { run, completed }: SampleRun): Promise<boolean> {
  const { text, named } = await timelineNaming(places, run.id, cast.alice);
  progress.line('');
  progress.line(text.trimEnd());
  progress.line('');
  progress.line(pageLine(`${url}/runs/flow-run/${run.id}`, afterwards));
  if (afterwards === 'stays') {
    progress.line(`Its timeline in the console: ${url}/.lictor/console/runs/${run.id}`);
    progress.line(`In another terminal: ${commandOf(places)} timeline ${run.id}`);
  }
  if (!named) progress.line('The timeline does not name alice: see lictor audit.');
  progress.line(`Run ${run.name} of sample/demo, started by alice: ${run.state_name ?? run.state_type}`);
  return completed && named;
}
