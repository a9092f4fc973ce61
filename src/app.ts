// Starts the gateway's control plane. The order is the order of trust: store and ledger, sweep, rooms, edge, then the sockets.
import type { Server } from 'node:http';
import { createServer as createSocketServer, type Server as SocketServer } from 'node:net';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { createConfirmMemory } from './authn/external/confirm.ts';
import { boundGrants } from './authn/recorded-grants.ts';
import { createLostRuns } from './authn/run-token/lost-runs.ts';
import { collectActions } from './catalog/actions.ts';
import { createCatalogue } from './catalog/catalogue.ts';
import { ownCertificateWarnings } from './certificates/warnings.ts';
import { createClockWatch } from './clock-watch.ts';
import type { Config } from './config/config.ts';
import { keptDirs, keptSocket, mostKeptMiB } from './config/kept-dir.ts';
import { edgePid } from './config/pid-file.ts';
import { fillReserve, withReserve } from './config/reserve.ts';
import type { StatePaths } from './config/state-dir.ts';
import { nginxWorkerUser } from './config/worker-user.ts';
import type { Clock } from './contract/clock.ts';
import type { FromControl } from './contract/ipc.ts';
import { type Current, createCurrent, currentAnswerer, currentForForward, currentForRelay } from './current.ts';
import type { Answerer } from './decide/answer.ts';
import { createFromEdge, type FromEdge } from './decide/from-edge.ts';
import { removeLeftBehind, sweepDecisions, sweepOnce } from './decide/sweep.ts';
import { type AppliedEdge, applyEdge } from './edge/apply.ts';
import { renderHere } from './edge/check.ts';
import { createKeptWatch } from './edge/kept-answers.ts';
import { knownServers } from './edge/service-sockets.ts';
import { reachableBy, tempDirAt } from './edge/temp-dir.ts';
import { createKeeper } from './egress/keeper/keeper.ts';
import { createEventMemory } from './events/memory.ts';
import { createEventRules } from './events/rules.ts';
import { openForward } from './forward/open.ts';
import { meter } from './gateway-metrics.ts';
import { createDiskWatch, rotateControlLog, spaceAt } from './housekeeping.ts';
import { type AdminActions, createAdminServer } from './http/admin-server.ts';
import { createControlServer, createKeeperServer } from './http/control-server.ts';
import { createDecisionServer } from './http/decision-server.ts';
import { closeServer, listenOn } from './http/listening.ts';
import { openEdgeSecret } from './keys/edge-secret.ts';
import { openSealer } from './keys/sealer.ts';
import { openSecretKey } from './keys/secret-key.ts';
import { openSigningKeys } from './keys/signing-keys.ts';
import { type Ledger, startLedger } from './ledger/ledger.ts';
import { readEventsMark } from './ledger/prefect-events/read-events.ts';
import { ROTATE_LIMITS, type RotateLimits } from './ledger/rotate.ts';
import { createLedgerSearch } from './ledger/search/search.ts';
import { prepareListeners } from './listeners.ts';
import { createBodyWork } from './mediate/body-work.ts';
import { keepPolicySet, policiesAtStart } from './policies-in-force.ts';
import { createKinMemory, isBelow } from './prefect/kin.ts';
import { createLookup, type Lookup } from './prefect/lookup.ts';
import { createGates } from './relay/event-gate.ts';
import { createRelay } from './relay/relay.ts';
import { createReloader, type Reloader } from './reload.ts';
import { localUser } from './reload-told.ts';
import { buildRooms, type House } from './rooms.ts';
import { createExports } from './sinks/exports.ts';
import { createTracing } from './sinks/spans/tracing.ts';
import { openStore } from './store/store.ts';
import { createSync } from './sync.ts';
import { createAnnouncer } from './timeline/announce/announcer.ts';
import { createIntake } from './timeline/feed/intake.ts';

export interface App {
  readonly edge: AppliedEdge & { readonly binary: string };
  readonly reloader: Reloader;
  readonly record: Ledger['append'];
  /** Closes sockets with 1012, finishes requests, drains the ledger. */
  drain(): Promise<void>;
}

export interface AppParts {
  readonly config: Config;
  readonly configFile: string;
  /** `config` is what was in use before a death, and so are the own policies. */
  readonly inUse: boolean;
  readonly paths: StatePaths;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** For intervals: src/contract/clock.ts. */
  readonly steady: Clock;
  readonly log: Logger;
  /** Makes the log's writer open its file anew. */
  readonly reopenLog: () => void;
  /** To the supervisor. */
  readonly tell: (message: FromControl) => void;
}

/** How often the store's change number is read, for changes whose author could not reach the admin socket. */
const WATCH_MS = 500;
/** How often it is looked whether an answer of a service was kept for too long. */
const KEPT_MS = 1_000;
/** How often it is looked whether the clock was put back. */
const CLOCK_MS = 1_000;
/** How often certificate files, the own log and the disk are looked at. */
const HOUSEKEEPING_MS = 60_000;

export async function startApp(parts: AppParts): Promise<App> {
  const { config, paths, clock, steady, log } = parts;
  const common = { clock, steady, log };
  const store = await withReserve(paths.reserve, () => openStore({ file: config.storeFile, clock }));
  const ledger = await startLedger({
    paths,
    node: hostname(),
    clock,
    basePath: config.publicUrl.basePath,
    grants: config.roles.length === 0 ? null : boundGrants(config.roles),
    rotate: rotateLimits(paths, log),
    retentionMs: retentionMs(config),
  });
  ledger.onReopen(() => parts.tell({ type: 'edge-reopen' }));
  // Nothing that was decided before this start may be answered from the cache.
  await sweepOnce(paths.decisionCache);
  const foreign = await removeLeftBehind(paths.decisionCache);
  if (foreign.length > 0)
    log.warn({ paths: foreign }, 'a command of another user that was killed has left remembered decisions behind: remove them as that user');

  const catalogue = createCatalogue();
  const eventIntake = createIntake({ ledger, clock, steady, mark: readEventsMark(paths.ledgerFile) });
  const eventMemory = createEventMemory();
  const kinMemory = createKinMemory();
  const eventRules = createEventRules(eventMemory, (own, run) => isBelow(kinMemory, own, run));
  const sealer = openSealer(paths.sealKey);
  const signingKeys = openSigningKeys({ file: paths.signingKeys, sealer, clock });
  // Makes the first one.
  await signingKeys.published();
  const house: House = {
    paths,
    ...common,
    catalogue,
    store,
    ledger,
    ledgerSearch: createLedgerSearch(paths),
    bodies: createBodyWork({ steady }),
    sealer,
    signingKeys,
    runTokenKey: openSecretKey(paths.runTokenKey, 'flow runs that wait for their worker get other tokens'),
    kinMemory,
    confirmMemory: { sessions: createConfirmMemory(), grants: createConfirmMemory() },
    eventRules,
    eventIntake,
    eventMemory,
    sync: () => sync.now(),
    edgeRuns: async () => edgePid(paths) !== undefined,
    exports: createExports({ paths, clock, log, record: ledger.append }),
    tracing: createTracing({ accessLog: paths.accessLog, basePath: config.publicUrl.basePath, log }),
  };
  const policies = await policiesAtStart({ actions: collectActions(catalogue.operations), config, kept: store.policySets, inUse: parts.inUse });
  const rooms = await buildRooms(house, config, policies);
  await keepPolicySet(store.policySets, rooms, { by: localUser().principal, onBehalfOf: [], why: '' });
  const current = createCurrent(rooms);
  const { ledgerFile, announced: memoryFile } = paths;
  const announcer = createAnnouncer({ ledgerFile, memoryFile, upstream: () => current.get().upstream, ...common });
  ledger.onCalls((calls) => current.get().services.credentials.told(calls));
  const answerer = currentAnswerer(current);
  const services = { room: current.get, servers: knownServers(paths), ledger, log };
  const fromEdge = createFromEdge(openEdgeSecret(paths));
  const relay = createRelay({
    catalogue,
    ledger,
    store,
    fromEdge,
    ...common,
    services,
    gateFor: createGates(eventRules),
    turn: house.bodies.turn,
    ...currentForRelay(current, store.makers),
  });
  const forward = openForward({ ledger, clock, log, ...currentForForward(current) });
  const sync = createSync({
    changeNumber: () => store.changeNumber(),
    forget: () => answerer.forget(),
    sweep: () => sweepDecisions(paths.decisionCache),
    recheck: async () => void (await Promise.all([relay.recheck(), forward.recheck()])),
  });
  const edge = await prepareEdge(parts, config);
  ledger.onHealth((healthy) => {
    log[healthy ? 'info' : 'error']({ healthy, problem: ledger.problem() }, 'ledger');
    if (!healthy && current.get().config.ledger.failClosed) sync.now().catch((error: unknown) => log.error({ err: error }, 'sweep failed'));
  });

  const metered = meter({ ledgerFile, accessLog: paths.accessLog, storeFile: config.storeFile }, answerer, {
    ledger,
    clock,
    log,
    sockets: relay.count,
    sinks: house.exports.status,
    spans: house.tracing.status,
    events: eventIntake.status,
    revision: () => current.get().revision,
  });
  const prepare = (next: Config) => prepareListeners({ forward, metered }, next);
  const reloader = createReloader({
    ...{ ...parts, house, current, prepareListeners: prepare },
    ...{ applyEdge: (next) => prepareEdge(parts, next), moveSockets: relay.restart },
  });
  const acceptSockets = () => createSocketServer({ pauseOnConnect: true }, relay.accept);
  const sockets = { credentialed: acceptSockets(), anonymous: acceptSockets() };
  const servers = await listen(parts, { sockets, current, fromEdge, answerer: metered.answerer, admin: { sync: sync.now, ...reloader } });
  (await prepare(config)).commit();
  await house.exports.use(config.exports);
  await house.tracing.use(config.traces);
  const lookAtDisk = createDiskWatch({ paths, space: () => spaceAt(paths.root), now: clock, warn: (text) => warn(parts, text), record: ledger.append });
  const every = (ms: number, what: string, work: () => Promise<void>): NodeJS.Timeout =>
    setInterval(() => work().catch((error: unknown) => log.error({ err: error }, what)), ms);
  const lookup: Lookup = (path) => createLookup(current.get().upstream)(path);
  const lostRuns = createLostRuns({ storeFile: config.storeFile, store: store.runTokens, lookup, clock, record: ledger.append });
  const tempDir = tempDirAt(paths, nginxWorkerUser());
  const kept = createKeptWatch({ dirs: () => keptDirs(tempDir), clock, log });
  const timers = [
    every(WATCH_MS, 'change number', sync.ifChanged),
    every(HOUSEKEEPING_MS, 'own log', async () => rotateControlLog(paths.controlLog, parts.reopenLog)),
    every(HOUSEKEEPING_MS, 'certificates', reloader.renewCertificates),
    every(HOUSEKEEPING_MS, 'reserve', async () => fillReserve(paths.reserve)),
    every(HOUSEKEEPING_MS, 'disk', lookAtDisk),
    every(HOUSEKEEPING_MS, 'lost runs', lostRuns),
    every(KEPT_MS, 'kept answers', kept.look),
    every(CLOCK_MS, 'clock', createClockWatch({ clock, steady, sweep: sync.now, warn: (text) => warn(parts, text) })),
  ];
  lookAtDisk().catch((error: unknown) => log.error({ err: error }, 'disk'));
  return {
    edge,
    reloader,
    record: ledger.append,
    async drain() {
      for (const timer of timers) clearInterval(timer);
      // They wait for a moment for what is under way, like the sockets.
      const sent = Promise.all([house.exports.close(), house.tracing.close()]);
      sockets.credentialed.close();
      sockets.anonymous.close();
      await Promise.all([relay.drain(), forward.close()]);
      await Promise.all(servers.map(closeServer));
      await announcer.close();
      await metered.close();
      await house.ledgerSearch.close();
      await house.bodies.close();
      await sent;
      await current.get().retire();
      await eventIntake.close();
      await ledger.close();
      await store.close();
    },
  };
}

function warn({ log, tell }: AppParts, text: string): void {
  log.warn(text);
  tell({ type: 'notice', text: `lictor: ${text}` });
}

async function prepareEdge(parts: AppParts, config: Config): Promise<App['edge']> {
  const { paths, env, clock } = parts;
  const { files, version, certificate } = await renderHere(config, paths, env, clock);
  for (const text of ownCertificateWarnings(certificate, paths.ownCertificate, clock())) warn(parts, text);
  return { ...(await applyEdge(files, paths, version)), binary: version.binary };
}

interface Behind {
  readonly sockets: { readonly credentialed: SocketServer; readonly anonymous: SocketServer };
  readonly current: Current;
  readonly fromEdge: FromEdge;
  readonly answerer: Answerer;
  readonly admin: AdminActions;
}

async function listen({ paths, log }: AppParts, { sockets, current, fromEdge, answerer, admin: actions }: Behind): Promise<readonly Server[]> {
  const onError = (error: unknown): void => log.error({ err: error }, 'request failed');
  const own = createControlServer((request, response) => current.get().handle(request, response), fromEdge);
  const courier = createControlServer((request, response) => current.get().services.credentials.courier.handle(request, response), fromEdge);
  const mostBytes = mostKeptMiB(paths, tempDirAt(paths, nginxWorkerUser())) << 20;
  const keeper = createKeeperServer(createKeeper({ wayBack: (service) => keptSocket(paths, service), mostBytes, log }).handle, fromEdge);
  const decisions = createDecisionServer(answerer, fromEdge, onError);
  const admin = createAdminServer(actions, onError);
  await listenOn(admin, paths.adminSocket);
  await listenOn(own, paths.controlSocket);
  await listenOn(keeper, paths.keeperSocket);
  await listenOn(courier, paths.courierSocket);
  await listenOn(decisions, paths.decisionSocket);
  await listenOn(sockets.credentialed, paths.relaySocket);
  await listenOn(sockets.anonymous, paths.anonymousSocket);
  return [decisions, own, courier, keeper, admin];
}

function retentionMs({ ledger }: Config): number | null {
  return ledger.retentionSeconds === null ? null : ledger.retentionSeconds * 1000;
}

/** nginx's workers open the new log themselves, by its path: where they cannot get there, logs are left to grow. */
function rotateLimits(paths: StatePaths, log: Logger): RotateLimits | null {
  const user = nginxWorkerUser();
  if (user === null || reachableBy(paths.log, user)) return ROTATE_LIMITS;
  log.warn(
    { log: paths.log, user: user.name },
    'a directory above the logs is closed to the user of nginx: logs are not rotated. Use a state directory below /var/lib',
  );
  return null;
}
