// Entry of the control plane: a child of the supervisor, started with `--config FILE --state-dir DIR [--in-use] [--beside]`.

import { parseArgs } from 'node:util';
import pino from 'pino';
import { upstreamFingerprint } from '../config/certificates.ts';
import type { Config } from '../config/config.ts';
import { type ConfigPlace, loadCandidate, loadInUse } from '../config/in-use.ts';
import { edgePid } from '../config/pid-file.ts';
import { prepareStateDir } from '../config/runtime-dir.ts';
import type { StatePaths } from '../config/state-dir.ts';
import { steadyClock, systemClock } from '../contract/clock.ts';
import { LictorError } from '../contract/error.ts';
import type { FromControl, ToControl } from '../contract/ipc.ts';
import { assertListenable } from '../edge/nginx/listenable.ts';
import { hungRecord } from '../record/ledger/events.ts';
import { type App, startApp } from './app.ts';

// The supervisor has ended: no process would stop this one, and a new supervisor would start another.
process.on('disconnect', () => process.exit(1));
// The terminal's Ctrl-C reaches the whole group: the supervisor decides when we drain.
process.on('SIGINT', () => undefined);

/** The supervisor kills a control plane whose event loop hangs. */
const BEAT_MS = 500;
setInterval(() => send({ type: 'beat' }), BEAT_MS).unref();

/** Held in memory while the log cannot be written. */
const LOG_BUFFER_BYTES = 4 << 20;

const { values } = parseArgs({
  options: { config: { type: 'string' }, 'state-dir': { type: 'string' }, 'in-use': { type: 'boolean' }, beside: { type: 'boolean' } },
});
await main({
  configFile: values.config ?? 'lictor.yaml',
  stateDir: values['state-dir'] ?? '.lictor',
  inUse: values['in-use'] === true,
  beside: values.beside === true,
});

interface Start {
  readonly configFile: string;
  readonly stateDir: string;
  /** After a restart: the configuration in use stays, even if the file has changed. */
  readonly inUse: boolean;
  /** The control plane that this one replaces still serves. */
  readonly beside: boolean;
}

async function main({ configFile, stateDir, inUse, beside }: Start): Promise<void> {
  const paths = prepareStateDir(stateDir);
  const destination = pino.destination({ dest: paths.controlLog, sync: false, mode: 0o600, maxLength: LOG_BUFFER_BYTES });
  // A full disk: what does not fit is written when there is room again, or dropped. It must not end the control plane: reads go on.
  destination.on('error', () => undefined);
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  const place = { file: configFile, env: process.env, paths };
  const candidate = loadCandidate(place);
  const loaded = (inUse ? loadInUse(place) : undefined) ?? candidate.loaded;
  if (!loaded.ok) {
    candidate.discard();
    for (const { path, message, remedy } of loaded.problems) log.error({ path, remedy }, message);
    return fatal(loaded.problems.map(({ path, message, remedy }) => `${path}: ${message}. ${remedy}`).join('\n'));
  }
  try {
    // If nginx runs, it has the port. If it ran before, the supervisor starts it until it gets the port.
    if (!inUse && edgePid(paths) === undefined) await assertListenable(loaded.config.listen);
    const app = await startApp({
      config: loaded.config,
      configFile,
      inUse: loaded !== candidate.loaded,
      beside,
      former: formerConfig(place, beside),
      paths,
      env: process.env,
      clock: systemClock,
      steady: steadyClock,
      log,
      onUnusable: endWith,
      reopenLog: () => destination.reopen(),
      send,
    });
    if (loaded === candidate.loaded) candidate.keep();
    serve(app, log, beside || isOutdated(app, loaded.config, paths));
  } catch (error) {
    log.error({ err: error }, 'start failed');
    // A restart does not fix a broken configuration or an occupied file. It may fix any other problem, such as a database that is away.
    if (error instanceof LictorError && !(inUse && error.code === 'store-unreachable')) return fatal(error.message);
    throw error;
  } finally {
    candidate.discard();
  }
}

/** Of the control plane that this one replaces. Null if there is none, or if it cannot be read any more: then its ports count as taken. */
function formerConfig(place: ConfigPlace, beside: boolean): Config | null {
  const loaded = beside ? loadInUse(place, 'skip') : undefined;
  return loaded?.ok === true ? loaded.config : null;
}

/** An nginx that ran before this start has not read the present files. Certificate files may have changed without a reload. */
function isOutdated({ edge }: App, config: Config, paths: StatePaths): boolean {
  const hasCertificates = config.tls !== null || upstreamFingerprint(config) !== null;
  return (edge.changed || hasCertificates) && edgePid(paths) !== undefined;
}

function serve(app: App, log: pino.Logger, outdated: boolean): void {
  let drained = Promise.resolve();
  const orders: Readonly<Record<ToControl['type'], () => void>> = {
    leave: () => void settle(log, 'leave', app.leave().then(done)),
    yield: () => void settle(log, 'yield', app.yield().then(done)),
    resume: () => void settle(log, 'resume', app.resume()),
    alone: () => void settle(log, 'alone', app.alone()),
    drain: () => {
      drained = settle(log, 'drain', app.drain());
    },
    finish: () => finish(app, log, drained),
    reload: () => reload(app, log),
    hung: () => recordHung(app, log),
  };
  // Only the supervisor sends these, so the shape is trusted.
  process.on('message', ({ type }: ToControl) => orders[type]());
  send({ type: 'edge-start', binary: app.edge.binary, args: app.edge.args });
  if (outdated) send({ type: 'edge-reload' });
  send({ type: 'ready' });
  log.info('ready');
}

function reload(app: App, log: pino.Logger): void {
  app.reloader.reload().catch((error: unknown) => log.error({ err: error }, 'reload failed'));
}

function recordHung(app: App, log: pino.Logger): void {
  log.error('the control plane before this one hung, and was killed');
  app.record(hungRecord(systemClock())).catch((error: unknown) => log.error({ err: error }, 'not recorded'));
}

/** The supervisor goes on without an answer. */
function settle(log: pino.Logger, what: string, work: Promise<void>): Promise<void> {
  log.info(what);
  return work.catch((error: unknown) => log.error({ err: error }, `${what} failed`));
}

function done(): void {
  send({ type: 'done' });
}

function finish(app: App, log: pino.Logger, drained: Promise<void>): void {
  drained
    .then(() => app.finish())
    .then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'finish failed');
        log.flush(() => process.exit(1));
      },
    );
}

function fatal(message: string): void {
  send({ type: 'fatal', message });
  process.exitCode = 1;
  process.disconnect?.();
}

/** The next one starts when the store can be used again. */
function endWith({ message }: LictorError): void {
  process.send?.({ type: 'fatal', message } satisfies FromControl, () => process.exit(1));
}

function send(message: FromControl): void {
  process.send?.(message);
}
