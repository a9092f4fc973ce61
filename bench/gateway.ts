// The real gateway of a bench, `lictor up`, and a service token for it.
import { z } from 'zod';
import { lictor, startGateway } from '../demo/lictor.ts';
import type { DemoPlaces } from '../demo/places.ts';
import type { Running } from '../demo/running.ts';
import { freePort } from '../src/operations/supervise/processes/free-port.ts';
import type { RunningProcess } from '../src/operations/supervise/processes/start-process.ts';
import { BENCH_AGENT, type GatewaySettings, prepareGateway } from './places.ts';

export interface BenchGateway {
  readonly places: DemoPlaces;
  /** As clients write it, with the name that the gateway answers to. */
  readonly url: string;
  readonly port: number;
  /** Roles deployer and worker: what a stock client of a team has. */
  readonly token: string;
  /** Role admin, which may call services. */
  readonly callerToken: string;
  /** Of the agent. */
  readonly agentToken: string;
}

const TokenOutput = z.object({ secret: z.string() });

/** Makes the state, not the process. */
export async function prepareBenchGateway(root: string, name: string, upstream: Omit<GatewaySettings, 'port'>): Promise<BenchGateway> {
  const port = await freePort();
  const places = prepareGateway(root, name, { port, ...upstream });
  const token = await createToken(places, 'bench', 'deployer', 'worker');
  const callerToken = await createToken(places, 'caller', 'admin');
  await lictor(places, 'account', 'add', BENCH_AGENT.sponsor, '--role', 'operator');
  return { places, url: `http://localhost:${port}`, port, token, callerToken, agentToken: await createToken(places, BENCH_AGENT.name) };
}

export async function createToken(places: DemoPlaces, name: string, ...roles: readonly string[]): Promise<string> {
  const output = await lictor(places, 'token', 'create', name, ...roles.flatMap((role) => ['--role', role]), '--json');
  return TokenOutput.parse(JSON.parse(output)).secret;
}

export function startBenchGateway({ places, port }: BenchGateway, running: Running): Promise<RunningProcess> {
  return startNode({ places, port }, running);
}

/** A gateway, or one node of it, by its own port. */
export function startNode({ places, port }: Pick<BenchGateway, 'places' | 'port'>, running: Running): Promise<RunningProcess> {
  return running.add((isEnding) => startGateway(places, `http://localhost:${port}`, isEnding));
}
