// Regular work of a control plane: what every one does, and what only one of a state directory may do.
import type { Logger } from 'pino';
import { fillReserve } from '../config/reserve.ts';
import { createLostRuns } from '../identity/authn/run-token/lost-runs.ts';
import { createLookup, type Lookup } from '../prefect/client/lookup.ts';
import { createAnnouncer } from '../record/timeline/announce/announcer.ts';
import { createClockWatch } from './clock-watch.ts';
import type { CurrentRuntime } from './current-runtime.ts';
import type { DecisionSync } from './decision-sync.ts';
import { createDiskWatch, rotateControlLog, spaceAt } from './housekeeping.ts';
import type { ProcessServices } from './process-services.ts';
import type { Reloader } from './reload.ts';

export interface UpkeepParts {
  readonly shared: ProcessServices;
  readonly current: CurrentRuntime;
  readonly reloader: Reloader;
  readonly log: Pick<Logger, 'error' | 'warn'>;
  readonly reopenLog: () => void;
  readonly warn: (text: string) => void;
}

/** Only `startSoleWork` starts it. */
export interface SoleWork {
  stop(): Promise<void>;
}

export const NO_WORK: SoleWork = { stop: async () => undefined };

export interface Watched {
  readonly sync: Pick<DecisionSync, 'now'>;
  /** Takes changes in the store over. */
  readonly look: () => Promise<void>;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** For its own decisions and sockets: a control plane that has yielded needs it too. */
export function startWatching({ shared, log, warn }: UpkeepParts, { sync, look }: Watched): readonly NodeJS.Timeout[] {
  const { clock, steady } = shared;
  const every = repeated(log);
  return [
    // For a change whose author could not reach the admin socket.
    every(SECOND_MS / 2, 'change number', look),
    every(SECOND_MS, 'clock', createClockWatch({ clock, steady, sweep: sync.now, warn })),
  ];
}

/** Work that only one control plane of a state directory may do, beside reading the logs. */
export async function startSoleWork({ shared, current, reloader, log, reopenLog, warn }: UpkeepParts): Promise<SoleWork> {
  const { paths, ledger, store, clock, steady, exports, tracing, coordination, replication } = shared;
  const { config } = current.get();
  await exports.use(config.exports);
  await tracing.use(config.traces);
  const { ledgerFile, announced: memoryFile } = paths;
  const announcer = createAnnouncer({ ledgerFile, memoryFile, upstream: () => current.get().upstream, clock, steady, log });
  const endTrim = replication === null ? NO_WORK.stop : coordination.hold('retention', replication.trim);
  const endLost = replication === null ? NO_WORK.stop : coordination.hold('exports', exports.sendLost);
  const lookAtDisk = createDiskWatch({ paths, space: () => spaceAt(paths.root), now: clock, warn, record: ledger.append });
  const lookup: Lookup = (path) => createLookup(current.get().upstream)(path);
  const providers = () => current.get().config.identityProviders;
  const every = repeated(log);
  lookAtDisk().catch(failed(log, 'disk'));
  const timers = [
    every(MINUTE_MS, 'own log', async () => rotateControlLog(paths.controlLog, reopenLog)),
    every(MINUTE_MS, 'certificates', reloader.renewCertificates),
    every(MINUTE_MS, 'reserve', async () => fillReserve(paths.reserve)),
    every(MINUTE_MS, 'disk', lookAtDisk),
    every(MINUTE_MS, 'lost runs', createLostRuns({ storeAt: config.storeAt, providers, store: store.runTokens, lookup, clock, record: ledger.append })),
  ];
  return {
    async stop() {
      for (const timer of timers) clearInterval(timer);
      await Promise.all([announcer.close(), exports.use([]), tracing.use(null), endTrim(), endLost()]);
    },
  };
}

function repeated(log: UpkeepParts['log']) {
  return (ms: number, what: string, work: () => Promise<void>): NodeJS.Timeout => setInterval(() => void work().catch(failed(log, what)), ms);
}

function failed(log: UpkeepParts['log'], what: string): (error: unknown) => void {
  return (error) => log.error({ err: error }, what);
}
