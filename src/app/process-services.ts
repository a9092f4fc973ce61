// The services of the process: opened once at the start, they outlive every configuration.

import type { Logger } from 'pino';
import { removeLeftBehind, sweepOnce } from '../authorization/decide/sweep.ts';
import { createDrafts, type Drafts } from '../authorization/explain/drafts/drafts.ts';
import { createBodyBudget } from '../authorization/mediate/body-budget.ts';
import { type BodyWork, createBodyWork } from '../authorization/mediate/body-work.ts';
import type { Config } from '../config/config.ts';
import type { Sealer } from '../config/keys/sealer.ts';
import { openSecretKey } from '../config/keys/secret-key.ts';
import { openSigningKeys, type SigningKeys } from '../config/keys/signing-keys.ts';
import { type Bounds, boundsOf, type Machine, readMachine } from '../config/machine.ts';
import { edgePid } from '../config/pid-file.ts';
import { withReserve } from '../config/reserve.ts';
import type { StatePaths } from '../config/state-dir.ts';
import { nginxWorkerUser } from '../config/worker-user.ts';
import type { Clock, SteadyClock } from '../contract/clock.ts';
import type { LictorError } from '../contract/error.ts';
import type { OpenSockets } from '../contract/open-socket.ts';
import type { DraftOutcome, DraftRequest } from '../contract/policy-outcome.ts';
import type { WorkerChannel } from '../contract/worker-channel.ts';
import type { EvidenceDesk } from '../edge/http/api/evidence/protocol.ts';
import { reachableBy } from '../edge/nginx/temp-dir.ts';
import { type ConfirmMemory, createConfirmMemory } from '../identity/authn/external/confirm.ts';
import { boundGrants } from '../identity/authn/recorded-grants.ts';
import { collectActions } from '../prefect/catalog/actions.ts';
import { type Catalogue, createCatalogue } from '../prefect/catalog/catalogue.ts';
import { createLineageMemory, isBelow, type LineageMemory } from '../prefect/client/run-lineage.ts';
import { createEventMemory, type EventMemory } from '../prefect/events/memory.ts';
import { createEventRules, type EventRules } from '../prefect/events/rules.ts';
import { ensureKey } from '../record/ledger/chain/key-file.ts';
import { type Ledger, startLedger } from '../record/ledger/ledger.ts';
import { readEventsMark } from '../record/ledger/prefect-events/read-events.ts';
import { ROTATE_LIMITS, type RotateLimits } from '../record/ledger/rotate.ts';
import { createLedgerSearch, type LedgerSearch } from '../record/ledger/search/search.ts';
import type { Family } from '../record/metrics/exposition.ts';
import { createLedgerWatch, type LedgerWatch } from '../record/metrics/watch.ts';
import type { Replication } from '../record/replication/replication.ts';
import { createExports, type Exports } from '../record/sinks/exports.ts';
import { createTracing, type Tracing } from '../record/sinks/spans/tracing.ts';
import { createIntake, type Intake } from '../record/timeline/feed/intake.ts';
import { createRunPages, type RunPages } from '../record/timeline/pages/pages.ts';
import type { ClientGrant } from '../store/client-grants.ts';
import type { Coordination } from '../store/coordination.ts';
import { openStore, type Store } from '../store/store.ts';
import { createEvidenceDesk } from './evidence-desk.ts';
import { type Deciding, joinNodes, type Membership } from './membership.ts';
import { createMemoryUse, type MemoryUse } from './memory-use.ts';
import { type Keys, openKeys } from './share-keys.ts';

export interface ProcessServices {
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  readonly log: Logger;
  readonly catalogue: Catalogue;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly machine: Machine;
  readonly bounds: Bounds;
  readonly memoryUse: MemoryUse;
  /** One budget and one thread for large bodies. */
  readonly bodies: BodyWork;
  /** One thread that reads the ledger for the API. */
  readonly ledgerSearch: LedgerSearch;
  /** Another one for timelines, which wait for Prefect. */
  readonly runPages: RunPages;
  /** Reads the ledger for people that watch the gateway. */
  readonly ledgerWatch: LedgerWatch;
  readonly evidence: EvidenceDesk;
  /** What the parts of the process say about themselves now. */
  readonly running: () => Running;
  /** The process ends soon: a load balancer must send requests elsewhere. */
  readonly isLeaving: () => boolean;
  /** Another thread, for those who follow the ledger. */
  readonly liveSearch: LedgerSearch;
  /** Null: no other node has this store. */
  readonly membership: Membership | null;
  /** What only one node may do, and news of the others. */
  readonly coordination: Coordination;
  /** Gives the nodes one text in this file. `make` creates it. */
  readonly shareFile: Keys['shareFile'];
  readonly sealer: Sealer;
  readonly signingKeys: SigningKeys;
  readonly confirmMemory: { readonly sessions: ConfirmMemory; readonly grants: ConfirmMemory<ClientGrant> };
  /** Derives run tokens. */
  readonly runTokenKey: Buffer;
  /** The run that started each run. */
  readonly lineageMemory: LineageMemory;
  /** Secrets that answers to agents and approvals did not show, since the start. */
  readonly redactions: { total: number };
  /** The event sockets and `POST /events` share these two. */
  readonly eventRules: EventRules;
  readonly eventMemory: EventMemory;
  /** Takes the events that the feed of each runtime subscribes to. */
  readonly eventIntake: Intake;
  /** Makes a security change take effect: see decision-sync.ts. */
  readonly sync: () => Promise<void>;
  /** Of the relay and the forward proxy. */
  readonly sockets: OpenSockets;
  /** Brings a set of the console into force: see apply-draft.ts. */
  readonly applyDraft: (request: DraftRequest) => Promise<DraftOutcome>;
  /** Threads that work on drafts of own policies. */
  readonly drafts: Drafts;
  readonly edgeRuns: () => Promise<boolean>;
  /** A sink keeps its connection and its place over a reload. */
  readonly exports: Exports;
  /** Null: the store is this machine's alone. */
  readonly replication: Replication | null;
  readonly tracing: Tracing;
}

export interface Running {
  readonly families: readonly Family[];
  readonly workers: readonly WorkerChannel[];
}

export interface ProcessParts
  extends Pick<ProcessServices, 'paths' | 'clock' | 'steady' | 'log' | 'sync' | 'sockets' | 'applyDraft' | 'running' | 'isLeaving'> {
  readonly config: Config;
  readonly configFile: string;
  /** The former control plane of this state directory still serves. */
  readonly beside: boolean;
  /** The access log was renamed: nginx has to open its logs again. */
  readonly onReopen: () => void;
  /** Another node may have changed something in the store. */
  readonly onChange: () => void;
  readonly deciding: () => Deciding;
  /** Nodes have come or gone. */
  readonly onNodes: () => Promise<void>;
  /** A newer release has changed the store: the process ends. */
  readonly onUnusable: (error: LictorError) => void;
}

/** To Postgres: those of a node beside commands, threads and other nodes. */
const STORE_CONNECTIONS = 10;
/** Each open stream asks one question at a time. */
const MOST_FOLLOWERS = 100;

export async function openProcessServices({ config, configFile, beside, onReopen, ...given }: ProcessParts): Promise<ProcessServices> {
  const { paths, steady, log } = given;
  const { storeAt } = config;
  const { basePath } = config.publicUrl;
  const machine = readMachine();
  const bounds = boundsOf(machine);
  const memoryUse = createMemoryUse(machine.memoryBytes, steady);
  const store = await withReserve(paths.reserve, () => openStore({ at: storeAt, clock: given.clock, connections: STORE_CONNECTIONS }));
  const { clock } = store;
  const parts = { ...given, clock };
  const { sealer, signingText, shareFile } = await openKeys(storeAt, store.sharedKeys, paths);
  const signingKeys = openSigningKeys({ stored: signingText, sealer, clock });
  const makeRunTokenKey = () => openSecretKey(paths.runTokenKey, 'flow runs that wait for their worker get other tokens');
  await shareFile('run-token.key', paths.runTokenKey, makeRunTokenKey);
  await shareFile('ledger.pem', paths.ledgerKey, () => ensureKey(paths.ledgerKey));
  const membership = await join(parts, config, store);
  if (typeof storeAt !== 'string') await restoreLedger(store, paths, config.node);
  const ledger = await openLedger(parts, config, beside);
  ledger.onReopen(onReopen);
  await forgetDecisions(parts);
  const eventMemory = createEventMemory();
  const lineageMemory = createLineageMemory();
  // Creates the first key.
  await signingKeys.published();
  const catalogue = createCatalogue();
  return {
    ...parts,
    coordination: await coordinate(parts, config, store),
    ...{ store, ledger, membership, shareFile, sealer, signingKeys, lineageMemory, eventMemory, redactions: { total: 0 } },
    catalogue,
    drafts: createDrafts({ actions: collectActions(catalogue.operations), storeAt, ledgerFile: paths.ledgerFile }),
    ledgerSearch: createLedgerSearch(paths),
    ledgerWatch: createLedgerWatch({ ledgerFile: paths.ledgerFile, accessLog: paths.accessLog, storeAt }, steady),
    evidence: createEvidenceDesk({ configFile, paths }),
    runPages: createRunPages(paths),
    liveSearch: createLedgerSearch({ ...paths, mostWaiting: MOST_FOLLOWERS }),
    bodies: createBodyWork({ steady, memoryUse, budget: createBodyBudget({ bytesTotal: bounds.bodyBytes }) }),
    ...{ machine, bounds, memoryUse },
    runTokenKey: makeRunTokenKey(),
    confirmMemory: { sessions: createConfirmMemory(), grants: createConfirmMemory() },
    eventRules: createEventRules(eventMemory, (own, run) => isBelow(lineageMemory, own, run)),
    eventIntake: createIntake({ ledger, clock, steady, mark: readEventsMark(paths.ledgerFile) }),
    edgeRuns: async () => edgePid(paths) !== undefined,
    exports: createExports({ paths, node: membership === null ? null : config.node, storeAt, clock, log, record: ledger.append }),
    replication: typeof storeAt === 'string' ? null : (await replicate()).startReplication({ paths, ledger, log, node: config.node, storeAt }),
    tracing: createTracing({ accessLog: paths.accessLog, basePath, log }),
  };
}

type Parts = Omit<ProcessParts, 'config' | 'configFile' | 'beside' | 'onReopen'>;

function join({ paths, log, deciding, onNodes, onUnusable }: Parts, { node, storeAt }: Config, { nodes }: Store): Promise<Membership> | null {
  return typeof storeAt === 'string' ? null : joinNodes({ nodes, node, idFile: paths.nodeId, deciding, log, onCount: onNodes, onUnusable });
}

function coordinate({ log, onChange }: Parts, { node, storeListen: listenAt }: Config, store: Store): Promise<Coordination> {
  return store.coordinate({
    ...{ node, listenAt, onChange },
    onState: (problem) =>
      problem === null ? log.info('hears of changes in the store') : log.warn({ err: problem }, 'hears of no change: looks twice a second'),
    onError: (duty, error) => log.error({ err: error, duty }, 'a duty could not begin or end'),
  });
}

/** Only nodes that share a store need it. */
const replicate = () => import('../record/replication/replication.ts');

async function restoreLedger({ ledgerShelf: shelf }: Store, { ledgerFile, ledgerKey }: StatePaths, node: string): Promise<void> {
  const { restoreOwnChain } = await import('../record/replication/restore.ts');
  await restoreOwnChain({ ledgerFile, ledgerKey, node, shelf });
}

function openLedger({ paths, clock, log }: Parts, { node, roles, agents, publicUrl, ledger: { retentionSeconds } }: Config, beside: boolean): Promise<Ledger> {
  return startLedger({
    ...{ paths, clock, basePath: publicUrl.basePath, node, beside },
    grants: roles.length + agents.length === 0 ? null : boundGrants({ roles, agents }),
    rotate: rotateLimits(paths, log),
    retentionMs: retentionSeconds === null ? null : retentionSeconds * 1000,
  });
}

/** nginx's workers open the new log by its path. If they cannot reach it, Lictor does not rotate logs. */
function rotateLimits(paths: StatePaths, log: Logger): RotateLimits | null {
  const user = nginxWorkerUser();
  if (user === null || reachableBy(paths.log, user)) return ROTATE_LIMITS;
  log.warn(
    { log: paths.log, user: user.name },
    'a directory above the logs is closed to the user of nginx: logs are not rotated. Use a state directory below /var/lib',
  );
  return null;
}

/** The cache must not answer with decisions from before this start. */
async function forgetDecisions({ paths, log }: Parts): Promise<void> {
  await sweepOnce(paths.decisionCache);
  const foreign = await removeLeftBehind(paths.decisionCache);
  if (foreign.length > 0)
    log.warn({ paths: foreign }, 'a command of another user that was killed has left remembered decisions behind: remove them as that user');
}
