// A gateway under an even load whose parts are killed at random moments.
import { createServer, type Server } from 'node:http';
import { createRandom } from '../../../src/record/ledger/chain/tampering.fixture.ts';
import { freePort } from '../../env/free-port.ts';
import { type Gateway, startGateway } from '../../env/gateway.ts';
import { isAlive, signalProcess, waitFor } from '../../env/process.ts';
import { type KillLoad, startKillLoad } from './load.ts';
import { ingested, type Kill, type Proof, proveLedger, summedUp } from './proof.ts';

export interface KillForm {
  readonly perSecond: number;
  /** What dies, in this order. */
  readonly kills: readonly Kill['what'][];
  /** Answers between two kills: a random number up to this, and one second's worth. */
  readonly between: number;
  /** Also waits for the sums of the requests that nobody decided. */
  readonly withSums?: boolean;
}

export async function killDuring({ perSecond, kills: plan, between, withSums = false }: KillForm): Promise<Proof> {
  const upstream = await startUpstream();
  const gateway = await startGateway({
    upstream: { url: upstream.url, authString: 'gateway:kills' },
    openStateDir: true,
    config: { limits: [{ for: '*', rate: '5000/s', burst: 10_000 }] },
  });
  try {
    const { secret } = await gateway.token('worker', ['worker', 'operator']);
    const load = startKillLoad({ gateway, token: secret, perSecond });
    const random = createRandom(Date.now() % 1_000_000);
    const kills: Kill[] = [];
    for (const what of plan) {
      await load.more(perSecond / 2 + random(between));
      kills.push(await kill(gateway, what, random));
    }
    await load.more(perSecond);
    await load.stop();
    await ingested(gateway.stateDir);
    if (withSums) await summedUp(gateway.stateDir, load, kills);
    const proof = await proveLedger(gateway.stateDir, load, kills);
    await verified(gateway, load);
    return proof;
  } finally {
    await gateway.close();
    upstream.server.closeAllConnections();
    upstream.server.close();
  }
}

async function verified(gateway: Gateway, load: KillLoad): Promise<void> {
  const { code, output } = await gateway.lictor('audit', 'verify');
  if (code !== 0) throw new Error(`after ${load.sent()} requests: ${output}`);
}

async function kill(gateway: Gateway, what: Kill['what'], random: (below: number) => number): Promise<Kill> {
  const before = gateway.pids();
  const atMs = Date.now();
  if (what === 'all') {
    await gateway.killAll();
    await gateway.up();
    return { what, atMs };
  }
  const victim = what === 'worker' ? (before.workers[random(before.workers.length)] ?? 0) : before[what];
  signalProcess(victim, 'SIGKILL');
  await waitFor(async () => !isAlive(victim) && isWhole(gateway) && (await gateway.isReady()), {
    what: `the gateway after the ${what} was killed`,
    timeoutMs: 60_000,
    everyMs: 200,
  });
  return { what, atMs };
}

function isWhole(gateway: Gateway): boolean {
  try {
    return gateway.pids().workers.length > 0;
  } catch {
    return false; // A part is being started.
  }
}

async function startUpstream(): Promise<{ readonly server: Server; readonly url: string }> {
  const port = await freePort();
  const server = createServer((request, response) => {
    request
      .resume()
      .once('end', () =>
        response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' }).end('{"status":"ACCEPT","state":null}'),
      );
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${port}` };
}
