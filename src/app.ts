// The only file that constructs services. The order is the order of trust: store and ledger, sweep, edge, then the sockets.
import { chmodSync, chownSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createAuthenticator } from './authn/authenticator.ts';
import { collectActions } from './catalog/actions.ts';
import { createCatalogue } from './catalog/catalogue.ts';
import type { Config } from './config/config.ts';
import type { StatePaths } from './config/state-dir.ts';
import { nginxWorkerUser } from './config/worker-user.ts';
import type { Clock } from './contract/clock.ts';
import { type Answerer, createAnswerer } from './decide/answer.ts';
import { createDecider, type Decider } from './decide/decider.ts';
import { publishRevision } from './decide/revision.ts';
import { sweepDecisions, sweepOnce } from './decide/sweep.ts';
import { type AppliedEdge, applyEdge } from './edge/apply.ts';
import { renderHere } from './edge/check.ts';
import { createAdminServer } from './http/admin-server.ts';
import { createDecisionServer } from './http/decision-server.ts';
import { createOwnApp } from './http/own-app.ts';
import { type Ledger, startLedger } from './ledger/ledger.ts';
import { createMediator } from './mediate/mediator.ts';
import { createPolicyEngine, type PolicyEngine } from './policy/engine.ts';
import { createUpstream, type Upstream } from './prefect/upstream.ts';
import { createRelay, type Relay } from './relay/relay.ts';
import { openStore, type Store } from './store/store.ts';

export interface App {
  readonly edge: AppliedEdge & { readonly binary: string };
  acceptSocket(socket: Socket): void;
  /** Closes sockets with 1012, finishes requests, drains the ledger. */
  drain(): Promise<void>;
}

export interface AppParts {
  readonly config: Config;
  readonly paths: StatePaths;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often the store's change number is read, for changes whose author could not reach the admin socket. */
const WATCH_MS = 500;

export async function startApp(parts: AppParts): Promise<App> {
  const { config, paths, clock, log } = parts;
  const store = await openStore({ file: config.storeFile, clock });
  const ledger = await startLedger({ paths, node: hostname(), clock, basePath: config.publicUrl.basePath });
  // Nothing that was decided before this start may be answered from the cache.
  await sweepOnce(paths.decisionCache);

  const rooms = buildRooms(parts, store, ledger);
  const applied = await prepareEdge(parts);
  const sync = createSync({ store, paths, answerer: rooms.answerer, relay: rooms.relay });
  ledger.onHealth((healthy) => {
    log[healthy ? 'info' : 'error']({ healthy, problem: ledger.problem() }, 'ledger');
    if (!healthy && config.ledger.failClosed) sync.now().catch((error: unknown) => log.error({ err: error }, 'sweep failed'));
  });

  const servers = await listen(parts, rooms, sync.now);
  const watch = setInterval(() => sync.ifChanged().catch((error: unknown) => log.error({ err: error }, 'change number')), WATCH_MS);
  return {
    edge: applied,
    acceptSocket: (socket) => rooms.relay.accept(socket),
    async drain() {
      clearInterval(watch);
      await rooms.relay.drain();
      await Promise.all(servers.map((server) => server.close()));
      await ledger.close();
      await rooms.upstream.close();
      await rooms.authenticator.idle();
      await store.close();
    },
  };
}

interface Rooms {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly decider: Decider;
  readonly policy: PolicyEngine;
  readonly answerer: Answerer;
  readonly upstream: Upstream;
  readonly relay: Relay;
  readonly authenticator: ReturnType<typeof createAuthenticator>;
  readonly mediator: ReturnType<typeof createMediator>;
}

function buildRooms({ config, paths, clock, log }: AppParts, store: Store, ledger: Ledger): Rooms {
  const catalogue = createCatalogue();
  const actions = collectActions(catalogue.operations);
  const { authString: _secret, ...prefect } = config.prefect;
  const revision = publishRevision(join(paths.root, 'revision.json'), [JSON.stringify({ ...config, prefect }), JSON.stringify(actions)]);
  const policy = createPolicyEngine({ actions, revision });
  const authenticator = createAuthenticator({
    store,
    config,
    clock,
    onGuessing: (address) => log.warn({ address }, 'many failed credentials'),
    onError: (error) => log.error({ err: error }, 'last use of a credential not noted'),
  });
  const decider = createDecider({ authenticator, catalogue, policy, changeNumber: () => store.changeNumber() });
  const mayWrite = (): boolean => !config.ledger.failClosed || ledger.healthy();
  const answerer = createAnswerer({ decider, catalogue, clock, mayWrite });
  const upstream = createUpstream({ url: config.prefect.url, authString: config.prefect.authString, publicUrl: config.publicUrl, clock });
  const relay = createRelay({ catalogue, decider, upstream, ledger, store, clock, log });
  const mediator = createMediator({ catalogue, decider, upstream, ledger, clock, config });
  return { store, ledger, decider, policy, answerer, upstream, relay, authenticator, mediator };
}

async function prepareEdge({ config, paths, env }: AppParts): Promise<App['edge']> {
  const { files, version } = await renderHere(config, paths, env);
  return { ...(await applyEdge(files, paths, version)), binary: version.binary };
}

interface Listening {
  close(): Promise<unknown>;
}

async function listen(parts: AppParts, rooms: Rooms, sync: () => Promise<void>): Promise<readonly Listening[]> {
  const { config, paths, clock, log } = parts;
  const { store, ledger, upstream, authenticator, mediator, decider } = rooms;
  const onError = (error: unknown): void => log.error({ err: error }, 'request failed');
  const own = createOwnApp({
    config,
    store,
    ledger,
    authenticator,
    mediator,
    clock,
    log,
    checks: { edge: () => edgeRuns(paths), store: () => store.changeNumber().then(() => true), upstream: () => prefectAnswers(upstream) },
    revision: decider.revision,
    sync,
  });
  await own.ready();
  const decisions = createDecisionServer(rooms.answerer, onError);
  const admin = createAdminServer({ sync }, onError);
  await listenOn(admin, paths.adminSocket, 0o600);
  await listenOn(own.server, paths.controlSocket, 0o600);
  await listenOn(decisions, paths.decisionSocket, 0o600);
  const closeServer = (server: Server): Listening => ({
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeIdleConnections();
      }),
  });
  return [closeServer(decisions), { close: () => own.close() }, closeServer(admin)];
}

/** The sockets that nginx connects to belong to its worker user; the admin socket to us. */
async function listenOn(server: Server, path: string, mode: number): Promise<void> {
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
  chmodSync(path, mode);
  const user = nginxWorkerUser();
  if (user !== null && !path.endsWith('admin.sock')) {
    chownSync(path, user.uid, user.gid);
  }
}

interface Sync {
  /** Runs one whole round that starts after the call. */
  now(): Promise<void>;
  ifChanged(): Promise<void>;
}

/** After a security change: forget, sweep the cache in all its rounds, decide every open socket again. */
function createSync({ store, paths, answerer, relay }: { store: Store; paths: StatePaths; answerer: Answerer; relay: Relay }): Sync {
  let seen = -1;
  let tail: Promise<void> = Promise.resolve();
  const round = async (): Promise<void> => {
    seen = await store.changeNumber();
    answerer.forget();
    await Promise.all([sweepDecisions(paths.decisionCache), relay.recheck()]);
  };
  const now = (): Promise<void> => {
    const mine = tail.then(round);
    tail = mine.catch(() => undefined); // the caller is told; the next round starts afresh
    return mine;
  };
  return {
    now,
    async ifChanged() {
      const number = await store.changeNumber();
      if (seen === -1) seen = number;
      else if (number !== seen) await now();
    },
  };
}

/** nginx's pid file names a living process. */
async function edgeRuns(paths: StatePaths): Promise<boolean> {
  try {
    process.kill(Number(readFileSync(paths.nginxPid, 'utf8').trim()), 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function prefectAnswers(upstream: Upstream): Promise<boolean> {
  const answer = await upstream.request({ method: 'GET', path: '/api/health', signal: AbortSignal.timeout(2000) });
  return answer.status === 200;
}
