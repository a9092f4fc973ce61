// The real gateway of a bench, `lictor up`, and a service token for it.
import { z } from 'zod';
import { lictor, startGateway } from '../demo/lictor.ts';
import type { DemoPlaces } from '../demo/places.ts';
import type { Running } from '../demo/running.ts';
import { freePort } from '../supervise/processes/free-port.ts';
import type { RunningProcess } from '../supervise/processes/start-process.ts';
import { prepareGateway } from './places.ts';

export interface BenchGateway {
  readonly places: DemoPlaces;
  /** As clients write it, with the name that the gateway answers to. */
  readonly url: string;
  readonly port: number;
  /** Roles deployer and worker: what a stock client of a team has. */
  readonly token: string;
}

const TokenOutput = z.object({ secret: z.string() });

/** Makes the state, not the process. */
export async function prepareBenchGateway(root: string, name: string, upstream: { readonly port: number; readonly authString: string }): Promise<BenchGateway> {
  const port = await freePort();
  const places = prepareGateway(root, name, { port, upstreamPort: upstream.port, authString: upstream.authString });
  const output = await lictor(places, 'token', 'create', 'bench', '--role', 'deployer', '--role', 'worker', '--json');
  return { places, url: `http://localhost:${port}`, port, token: TokenOutput.parse(JSON.parse(output)).secret };
}

export function startBenchGateway({ places, url }: BenchGateway, running: Running): Promise<RunningProcess> {
  return running.add((isEnding) => startGateway(places, url, isEnding));
}
