// `lictor bench --nodes`: one and two nodes on Postgres, beside bare nginx and oauth2-proxy, all of them behind the same balancer.
import { copyFileSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { DemoPlaces } from '../demo/places.ts';
import type { Progress } from '../demo/progress.ts';
import type { Running } from '../demo/running.ts';
import type { Environment } from '../src/config/load.ts';
import { findNginx } from '../src/edge/nginx/version.ts';
import { freePort } from '../src/operations/supervise/processes/free-port.ts';
import { startBalancer } from './balancer.ts';
import { ledgerCaughtUp } from './catch-up.ts';
import { CONNECTIONS, clientHeaders } from './direct.ts';
import { createToken, startNode } from './gateway.ts';
import { describeMachine } from './machine.ts';
import { type NginxParts, renderBare, renderOauth2, renderUpstream, startNginx } from './nginx.ts';
import { ratios, spread } from './numbers.ts';
import { findOauth2Proxy, startOauth2Proxy } from './oauth2-proxy.ts';
import { prepareGateway } from './places.ts';
import type { NodesResult, NodesRow } from './result.ts';
import { type Contender, interleaved } from './rounds.ts';
import { type Load, type Measured, wrk } from './wrk.ts';

export interface NodesParts {
  readonly root: string;
  readonly env: Environment;
  readonly seconds: number;
  readonly rounds: number;
  readonly running: Running;
  readonly progress: Progress;
  /** Of two empty databases on one Postgres: `postgres://...`. */
  readonly stores: readonly [string, string];
}

/** Behind the balancer. */
interface Front {
  readonly name: string;
  readonly port: number;
  /** Null: the program is not here. */
  readonly headers: Readonly<Record<string, string>> | null;
  /** Of its nodes. */
  readonly states: readonly string[];
}

const AUTH_STRING = 'gateway:bench';
const BARE = 'bare nginx';
const OAUTH2 = 'nginx + auth_request to oauth2-proxy';
const ONE = 'Lictor, one node on Postgres';
const TWO = 'Lictor, two nodes on Postgres';
const DIRECT = 'direct path: reads of one run';
const MEDIATED = 'mediated: `set_state`';

/** Everything is started through `running`, which the caller stops. */
export async function benchNodes(parts: NodesParts): Promise<NodesResult> {
  const { root, env, seconds, rounds, running, progress } = parts;
  const version = await findNginx({ ...env });
  const machine = describeMachine(version.text);
  const nginx: NginxParts = { binary: version.binary, root, workers: Math.max(2, availableParallelism()), running };
  const fronts = await progress.step(
    'Starting three nodes and what they are compared with',
    () => startFronts(parts, nginx),
    () => 'Started',
  );
  const entries = fronts.flatMap((front) => [DIRECT, MEDIATED].map((what) => ({ front, what, load: loadOf(front, what) })));
  const contenders = entries.flatMap(({ front, what, load }): Contender<Measured>[] =>
    load === null ? [] : [{ name: `${front.name}: ${what}`, measure: () => wrk(load, seconds), settle: () => settled(front) }],
  );
  for (const { measure, settle } of contenders) await measure().then(settle);
  const measured = await interleaved(contenders, rounds, progress, 'One and two nodes');
  const rows = entries.map(({ front: { name }, what }) => rowOf(name, what, measured));
  return { at: new Date().toISOString(), machine, seconds, rounds, connections: CONNECTIONS, rows };
}

async function startFronts(parts: NodesParts, nginx: NginxParts): Promise<readonly Front[]> {
  const { root, running, stores } = parts;
  const upstreamPort = await startNginx(nginx, 'upstream', (port) => renderUpstream(port, port + 1, port + 2));
  const bare = await startNginx(nginx, 'bare', (port) => renderBare(port, upstreamPort));
  const oauth2 = await startOauth2(parts, nginx, upstreamPort);
  const ports = [await freePort(), await freePort(), await freePort(), await freePort()] as const;
  const [bareFront, oauth2Front, oneFront, twoFront] = ports;
  const prepare = async (node: string, front: number, store: string): Promise<Node> => {
    const port = await freePort();
    const more = { public_url: `http://localhost:${front}`, trusted_proxies: ['127.0.0.1'], node, store };
    return { port, places: prepareGateway(root, node, { port, upstreamPort, authString: AUTH_STRING, more }) };
  };
  const alone = await prepare('alone', oneFront, stores[0]);
  const [first, second] = [await prepare('first', twoFront, stores[1]), await prepare('second', twoFront, stores[1])];
  for (const node of [alone, first]) await startNode(node, running);
  shareSealKey(first.places, second.places);
  await startNode(second, running);
  const lictor = async (name: string, port: number, nodes: readonly [Node, ...Node[]]): Promise<Front> => ({
    name,
    port,
    headers: { authorization: `Bearer ${await createToken(nodes[0].places, 'bench', 'deployer', 'worker')}` },
    states: nodes.map(({ places }) => places.state),
  });
  const fronts = [
    { name: BARE, port: bareFront, headers: {}, states: [] },
    { name: OAUTH2, port: oauth2Front, headers: oauth2 === null ? null : { cookie: oauth2.cookie }, states: [] },
    await lictor(ONE, oneFront, [alone]),
    await lictor(TWO, twoFront, [first, second]),
  ];
  const backends = [[bare], [oauth2?.port ?? bare], [alone.port], [first.port, second.port]];
  await startBalancer(
    { root, running },
    fronts.map(({ port }, index) => ({ port, to: backends[index] ?? [] })),
  );
  return fronts;
}

interface Node {
  readonly port: number;
  readonly places: DemoPlaces;
}

async function startOauth2({ env, root, running }: NodesParts, nginx: NginxParts, upstreamPort: number) {
  const binary = findOauth2Proxy(env);
  if (binary === undefined) return null;
  const { port: own, cookie } = await startOauth2Proxy(binary, root, running);
  return { port: await startNginx(nginx, 'oauth2', (port) => renderOauth2(port, upstreamPort, own)), cookie };
}

/** What an administrator copies by hand (docs/how-to/postgres.md). */
function shareSealKey(from: DemoPlaces, to: DemoPlaces): void {
  mkdirSync(join(to.state, 'keys'), { mode: 0o700 });
  copyFileSync(join(from.state, 'keys', 'seal.key'), join(to.state, 'keys', 'seal.key'));
}

function loadOf({ port, headers }: Front, what: string): Load | null {
  if (headers === null) return null;
  const common = { url: `http://127.0.0.1:${port}`, objects: 1, connections: CONNECTIONS };
  const own = { ...clientHeaders({ port }), ...headers };
  if (what === DIRECT) return { ...common, method: 'GET', path: '/api/flow_runs/{id}', headers: own };
  const body = JSON.stringify({ state: { type: 'RUNNING', name: 'Running', message: null, data: null }, force: false });
  return { ...common, method: 'POST', path: '/api/flow_runs/{id}/set_state', headers: { ...own, 'content-type': 'application/json' }, body };
}

async function settled({ states }: Front): Promise<void> {
  for (const state of states) await ledgerCaughtUp(state);
}

function rowOf(name: string, load: string, measured: ReadonlyMap<string, readonly Measured[]>): NodesRow {
  const of = (front: string, what: keyof Measured): readonly number[] => (measured.get(`${front}: ${load}`) ?? []).map((one) => one[what]);
  if (of(name, 'perSecond').length === 0) return { name, load, measured: null };
  const ratio = (to: string) => (of(to, 'perSecond').length === 0 ? null : ratios(of(name, 'perSecond'), of(to, 'perSecond')));
  const figures = { perSecond: spread(of(name, 'perSecond')), p50Ms: spread(of(name, 'p50Ms')), p99Ms: spread(of(name, 'p99Ms')) };
  return { name, load, measured: { ...figures, ofBare: ratio(BARE), ofOauth2: ratio(OAUTH2), ofOne: ratio(ONE) } };
}
