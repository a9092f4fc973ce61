// Starts the control plane: services of the process, runtime of the configuration, edge, sockets. reload.ts swaps the runtime.
import type { Server } from 'node:http';
import { createServer as createSocketServer, type Server as SocketServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Answerer } from '../authorization/decide/answer.ts';
import { createFromEdge, type FromEdge } from '../authorization/decide/from-edge.ts';
import { observationsIn } from '../authorization/decide/observation.ts';
import { sweepDecisions } from '../authorization/decide/sweep.ts';
import { ownCertificateWarnings } from '../config/certificates/warnings.ts';
import type { Config } from '../config/config.ts';
import { openEdgeSecret } from '../config/keys/edge-secret.ts';
import { limitsOfNode } from '../config/limits-of-node.ts';
import type { StatePaths } from '../config/state-dir.ts';
import type { Clock, SteadyClock } from '../contract/clock.ts';
import type { LictorError } from '../contract/error.ts';
import type { FromControl } from '../contract/ipc.ts';
import { joinSockets } from '../contract/open-socket.ts';
import { type AdminActions, createAdminServer } from '../edge/http/admin-server.ts';
import { createControlServer } from '../edge/http/control-server.ts';
import { createDecisionServer } from '../edge/http/decision-server.ts';
import { closeServer, listenOn } from '../edge/http/listening.ts';
import { openServiceProxy } from '../edge/http/service-proxy.ts';
import { type AppliedEdge, applyEdge } from '../edge/nginx/apply.ts';
import { renderHere } from '../edge/nginx/check.ts';
import { knownServers } from '../edge/nginx/service-sockets.ts';
import { collectActions } from '../prefect/catalog/actions.ts';
import { openForward } from '../proxies/forward/open.ts';
import { createGates } from '../proxies/relay/event-gate.ts';
import { createRelay, type Relay } from '../proxies/relay/relay.ts';
import type { Ledger } from '../record/ledger/ledger.ts';
import { loadActivePolicies, storeLoadedSet } from './active-policies.ts';
import { type CurrentRuntime, createCurrentRuntime, currentAnswerer, currentForForward, currentForRelay } from './current-runtime.ts';
import { createDecisionSync, type DecisionSync } from './decision-sync.ts';
import { type Metered, meter } from './gateway-metrics.ts';
import { prepareListeners } from './listeners.ts';
import type { Deciding } from './membership.ts';
import { openProcessServices, type ProcessServices } from './process-services.ts';
import { createReloader, type Reloader } from './reload.ts';
import { buildRuntime } from './runtime.ts';
import { sharedStoreOf } from './shared-store.ts';
import { NO_WORK, startSoleWork, startWatching } from './upkeep.ts';

export interface App {
  readonly edge: AppliedEdge & { readonly binary: string };
  readonly reloader: Reloader;
  readonly record: Ledger['append'];
  /** Leaves the work to another control plane that only one may do: reading the logs, exports, events for Prefect, upkeep. */
  yield(): Promise<void>;
  /** That control plane did not start. */
  resume(): Promise<void>;
  /** The control plane before this one has ended. */
  alone(): Promise<void>;
  /** Says to load balancers that it is not ready. Resolves after `shutdown_delay`. */
  leave(): Promise<void>;
  /** Closes sockets with 1012. Resolves when none is open. */
  drain(): Promise<void>;
  /** Finishes requests, drains the ledger. */
  finish(): Promise<void>;
}

export interface AppParts {
  readonly config: Config;
  readonly configFile: string;
  /** `config` is what was in use before a crash, and so are the own policies. */
  readonly inUse: boolean;
  /** The former control plane of this state directory still serves, and has yielded. */
  readonly beside: boolean;
  /** The configuration of that control plane. */
  readonly former: Config | null;
  readonly paths: StatePaths;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  readonly log: Logger;
  /** A newer release has changed the store: the process ends. */
  readonly onUnusable: (error: LictorError) => void;
  /** Makes the log's writer open its file again. */
  readonly reopenLog: () => void;
  /** Sends a message to the supervisor. */
  readonly send: (message: FromControl) => void;
}

export async function startApp(parts: AppParts): Promise<App> {
  let isLeaving = false;
  const { config, paths, steady, log } = parts;
  const onReopen = () => parts.send({ type: 'edge-reopen' });
  // The store has news before the parts below are there.
  let onChange = (): void => undefined;
  let deciding = (): Deciding => ({ config, policies: null });
  let onNodes = (): Promise<void> => Promise.reject(new Error('the gateway has not started yet'));
  const shared = await openProcessServices({
    config,
    configFile: parts.configFile,
    beside: parts.beside,
    paths,
    clock: parts.clock,
    steady,
    log,
    onReopen,
    onChange: () => onChange(),
    deciding: () => deciding(),
    onNodes: () => onNodes(),
    onUnusable: parts.onUnusable,
    sync: () => sync.now(),
    sockets: { list: () => sockets.list(), close: (id) => sockets.close(id) },
    applyDraft: (request) => reloader.applyDraft(request),
    running: () => ({ families: metered.families(), workers: relay.workers() }),
    isLeaving: () => isLeaving,
  });
  const current = await startRuntime(shared, parts);
  deciding = current.get;
  const { ledger, clock } = shared;
  ledger.onCalls((calls) => current.get().services.credentials.refused(calls));
  const answerer = currentAnswerer(current);
  const edgeSecret = openEdgeSecret(paths);
  const fromEdge = createFromEdge(edgeSecret);
  const serviceProxy = openServiceProxy({ paths, edgeSecret, log, mostCalls: shared.bounds.serviceCalls });
  // An nginx that ran before sends it calls as soon as decisions are answered.
  await serviceProxy.prepare(config);
  const relay = openRelay(shared, current, fromEdge);
  const forward = openForward({ ledger, clock, log, ...currentForForward(current) });
  const sockets = joinSockets([relay.sockets, forward.sockets]);
  const sync = createDecisionSync({
    changeNumber: () => shared.store.changeNumber(),
    forget: () => answerer.forget(),
    sweep: () => sweepDecisions(paths.decisionCache),
    recheck: async () => void (await Promise.all([relay.recheck(), forward.recheck()])),
  });
  const nodes = () => shared.membership?.count() ?? 1;
  const edge = await prepareEdge(parts, config, nodes());
  watchLedger(shared, current);
  const metered = meterApp({ shared, current, config, relay, answerer });
  const prepare = (next: Config, former?: Config | null) => prepareListeners({ forward, metered, serviceProxy }, next, former);
  const reloader = createReloader({
    ...{ ...parts, shared, current, prepareListeners: (next: Config) => prepare(next) },
    ...{ applyEdge: (next) => prepareEdge(parts, next, nodes()), moveSockets: relay.restart, useServices: serviceProxy.use },
  });
  const servers = await listen(parts, {
    relay,
    current,
    fromEdge,
    answerer: metered.answerer,
    admin: { sync: sync.now, workers: relay.workers, sharedStore: () => sharedStoreOf(shared, config.node), ...reloader },
  });
  (await prepare(config, parts.former)).commit();
  await shared.store.scim.keepOnly(config.scim.map(({ idp }) => idp));
  onNodes = () => reloader.shareLimits();
  onChange = () => void seeChanges({ shared, sync, reloader }).catch((error: unknown) => log.error({ err: error }, 'a change of another node'));
  const upkeep = { ...parts, shared, current, reloader, warn: (text: string): void => warn(parts, text) };
  const watching = startWatching(upkeep, { sync, look: () => seeChanges({ shared, sync, reloader }) });
  let sole = await startSoleWork(upkeep);
  return {
    async yield() {
      await sole.stop();
      sole = NO_WORK;
      shared.membership?.yield();
      await shared.replication?.pause();
      await ledger.takeTurn('pause');
    },
    async resume() {
      if (sole !== NO_WORK) return;
      await prepareEdge(parts, current.get().config, nodes());
      await ledger.takeTurn('resume');
      shared.replication?.resume();
      await shared.membership?.resume();
      sole = await startSoleWork(upkeep);
    },
    alone: () => ledger.takeTurn('alone'),
    edge,
    reloader,
    record: ledger.append,
    async leave() {
      isLeaving = true;
      await delay(current.get().config.shutdownDelaySeconds * 1_000);
    },
    async drain() {
      current.get().endStreams();
      for (const server of servers.sockets) server.close();
      await Promise.all([relay.drain(), forward.close()]);
    },
    async finish() {
      for (const timer of watching) clearInterval(timer);
      await shared.drafts.close();
      await Promise.all([...servers.http.map(closeServer), serviceProxy.close()]);
      await sole.stop();
      for (const part of [metered, shared.ledgerSearch, shared.liveSearch, shared.ledgerWatch, shared.evidence, shared.runPages, shared.bodies])
        await part.close();
      await current.get().retire();
      await shared.coordination.close();
      await shared.membership?.leave();
      for (const part of [shared.eventIntake, ledger, shared.replication, shared.store]) await part?.close();
    },
  };
}

async function startRuntime(shared: ProcessServices, { config, inUse: restarted }: AppParts): Promise<CurrentRuntime> {
  const { policySets } = shared.store;
  // With several nodes, the set in the store is in force: files of one node come into force by `lictor policy apply`.
  const several = shared.membership !== null;
  const inUse = restarted || several;
  const policies = await loadActivePolicies({ actions: collectActions(shared.catalogue.operations), config, policySets, inUse, several });
  const runtime = await buildRuntime(shared, config, policies);
  await storeLoadedSet(shared, runtime);
  await shared.store.observations.keep(observationsIn(config));
  return createCurrentRuntime(runtime);
}

/** Own policies that another node has applied come into force here too. */
interface SeenBy {
  readonly shared: ProcessServices;
  readonly sync: DecisionSync;
  readonly reloader: Reloader;
}

async function seeChanges({ shared, sync, reloader }: SeenBy): Promise<void> {
  await sync.ifChanged();
  if (shared.membership !== null) await reloader.adoptPolicies();
}

function openRelay(shared: ProcessServices, current: CurrentRuntime, fromEdge: FromEdge): Relay {
  const { catalogue, ledger, store, clock, steady, log, paths } = shared;
  return createRelay({
    ...{ catalogue, ledger, store, fromEdge, clock, steady, log },
    services: { runtime: current.get, servers: knownServers(paths), ledger, log },
    gateFor: createGates(shared.eventRules),
    turn: shared.bodies.turn,
    limits: { connections: shared.bounds.sockets },
    ...currentForRelay(current, store.makers),
  });
}

/** With `fail_closed`, decisions that were cached while the ledger was healthy must not be used once it is not. */
function watchLedger({ ledger, log, sync }: ProcessServices, current: CurrentRuntime): void {
  ledger.onHealth((healthy) => {
    log[healthy ? 'info' : 'error']({ healthy, problem: ledger.problem() }, 'ledger');
    if (!healthy && current.get().config.ledger.failClosed) sync().catch((error: unknown) => log.error({ err: error }, 'sweep failed'));
  });
}

interface MeterParts {
  readonly shared: ProcessServices;
  readonly current: CurrentRuntime;
  readonly config: Config;
  readonly relay: Relay;
  readonly answerer: Answerer;
}

function meterApp({ shared, current, config: { storeAt, node }, relay, answerer }: MeterParts): Metered {
  const { paths, ledger, clock, log, exports, tracing, eventIntake, coordination, machine, bounds, memoryUse } = shared;
  return meter({ ledgerFile: paths.ledgerFile, accessLog: paths.accessLog, storeAt }, answerer, {
    ...{ ledger, clock, log, sockets: relay.count, redactions: () => shared.redactions.total },
    ...{ machine, bounds, memoryUse, sharedStore: () => sharedStoreOf(shared, node) },
    ...{ sinks: exports.status, spans: tracing.status, events: () => (coordination.held().includes('events') ? eventIntake.status() : null) },
    revision: () => current.get().revision,
  });
}

function warn({ log, send }: AppParts, text: string): void {
  log.warn(text);
  send({ type: 'notice', text: `lictor: ${text}` });
}

async function prepareEdge(parts: AppParts, config: Config, nodes: number): Promise<App['edge']> {
  const { paths, env, clock } = parts;
  const { files, version, certificate } = await renderHere(limitsOfNode(config, nodes), paths, env, clock);
  for (const text of ownCertificateWarnings(certificate, paths.ownCertificate, clock())) warn(parts, text);
  return { ...(await applyEdge(files, paths, version)), binary: version.binary };
}

interface Behind {
  readonly relay: Relay;
  readonly current: CurrentRuntime;
  readonly fromEdge: FromEdge;
  readonly answerer: Answerer;
  readonly admin: AdminActions;
}

interface Listening {
  readonly http: readonly Server[];
  readonly sockets: readonly SocketServer[];
}

async function listen({ paths, log }: AppParts, { relay, current, fromEdge, answerer, admin: actions }: Behind): Promise<Listening> {
  const onError = (error: unknown): void => log.error({ err: error }, 'request failed');
  const own = createControlServer((request, response) => current.get().handle(request, response), fromEdge);
  const decisions = createDecisionServer(answerer, fromEdge, onError);
  const admin = createAdminServer(actions, onError);
  const acceptSockets = () => createSocketServer({ pauseOnConnect: true }, relay.accept);
  const [credentialed, anonymous] = [acceptSockets(), acceptSockets()];
  await listenOn(admin, paths.adminSocket);
  await listenOn(own, paths.controlSocket);
  await listenOn(decisions, paths.decisionSocket);
  await listenOn(credentialed, paths.relaySocket);
  await listenOn(anonymous, paths.anonymousSocket);
  return { http: [decisions, own, admin], sockets: [credentialed, anonymous] };
}
