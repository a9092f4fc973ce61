// The control plane as a child: forked, restarted when it ends, and controlled by messages.
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { StatePaths } from '../../config/state-dir.ts';
import { LictorError } from '../../contract/error.ts';
import type { FromControl, ToControl } from '../../contract/ipc.ts';
import type { ConnectionHold } from './connection-hold.ts';
import { type ControlWatch, type HeartbeatLimits, watchControl } from './heartbeat.ts';
import { keepRunning, type Supervised } from './keep-running.ts';
import { forgetSockets, reopenSockets, shutSockets } from './shut-sockets.ts';

export interface ControlPlaneOptions {
  readonly entry: string;
  readonly configFile: string;
  readonly paths: StatePaths;
  readonly hold: ConnectionHold;
  readonly onMessage: (message: FromControl) => void;
  readonly log: (line: string) => void;
  /** The first one starts beside that of another supervisor. */
  readonly beside: boolean;
  /** One has ended, and another one starts. */
  readonly onEnd: () => void;
  readonly heartbeat?: HeartbeatLimits | undefined;
}

export interface ControlPlane extends Supervised<ChildProcess> {
  /** Leaves the work of only one to another control plane. Rejects if it cannot within some seconds. */
  yield(): Promise<void>;
  /** The other one did not become ready. */
  resume(): void;
  /** The control plane that this one replaces has ended. */
  alone(): void;
  /** Resolves when load balancers have had time to use other nodes, or when it is not ready. */
  leave(): Promise<void>;
  /** Closes its sockets. */
  drain(): void;
  /** Ends it when its requests are answered. One that is not ready has none, and is ended. */
  finish(): void;
  /** Reloads the configuration. A starting control plane gets the message when it is ready. */
  reload(): void;
}

/** The records of what runs must reach the disk. */
const YIELD_MS = 15_000;

export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { hold, log, paths } = options;
  let ready = false;
  let everReady = false;
  let reloadWaits = false;
  let answered = Promise.withResolvers<void>();

  let watch: ControlWatch | undefined;
  let hung = false;

  const supervised = keepRunning({
    name: 'control plane',
    log,
    spawn: () => {
      const child = forkControl(options, everReady);
      if (child.pid !== undefined) watch = watchOne(child.pid);
      child.on('message', (message) => {
        const known = parseMessage(message);
        if (known?.type === 'beat') watch?.beat();
        else if (known !== undefined) obey(known);
      });
      child.once('disconnect', () => {
        if (supervised.current() === child) lose();
      });
      return child;
    },
    onExit: () => {
      watch?.stop();
      lose();
      forgetSockets(paths);
      options.onEnd();
    },
  });
  const obey = (message: FromControl) => {
    if (message.type === 'ready') {
      [ready, everReady] = [true, true];
      watch?.ready();
      hold.open();
      if (hung) send({ type: 'hung' });
      hung = false;
      if (reloadWaits) reload();
    }
    if (message.type === 'done') answered.resolve();
    options.onMessage(message);
  };
  const lose = () => {
    ready = false;
    answered.resolve();
    hold.close();
  };
  /** Meanwhile requests fail at once, or are held. */
  const watchOne = (pid: number) =>
    watchControl({
      pid,
      onSilent: () => {
        hold.close();
        shutSockets(paths);
      },
      onResumed: () => {
        reopenSockets(paths);
        hold.open();
      },
      onHung: () => {
        hung = true;
        log('the control plane hangs: killing it');
        supervised.kill();
      },
      limits: options.heartbeat,
    });
  const send = (message: ToControl) => supervised.current()?.send(message, () => undefined);
  /** Resolves at its answer, or at once if it is not ready. */
  const ask = (type: 'leave' | 'yield'): Promise<void> => {
    answered = Promise.withResolvers();
    if (ready) send({ type });
    else answered.resolve();
    return answered.promise;
  };
  const reload = () => {
    reloadWaits = !ready;
    if (ready) send({ type: 'reload' });
  };
  return {
    ...supervised,
    yield: async () => {
      if (!ready) throw notReady();
      const [pid, yielding] = [supervised.current()?.pid, ask('yield')];
      await Promise.race([yielding, delay(YIELD_MS, undefined, { ref: false }).then(() => Promise.reject(notReady()))]);
      if (!ready || supervised.current()?.pid !== pid) throw notReady();
      watch?.stop();
    },
    resume: () => {
      const pid = supervised.current()?.pid;
      if (pid === undefined || !ready) return;
      watch?.stop();
      watch = watchOne(pid);
      watch.ready();
      send({ type: 'resume' });
    },
    alone: () => void send({ type: 'alone' }),
    leave: () => ask('leave'),
    drain: () => void (ready && send({ type: 'drain' })),
    finish: () => {
      if (ready) send({ type: 'finish' });
      else supervised.current()?.kill('SIGTERM');
    },
    reload,
  };
}

/**
 * Has its own process group, so that Ctrl-C reaches only the supervisor. It ends when the IPC channel closes. `again`: uses the configuration in use,
 * whatever the file says; only `reload` reads the file.
 */
function forkControl({ entry, configFile, paths, beside }: ControlPlaneOptions, again: boolean): ChildProcess {
  const start = again ? ['--in-use'] : beside ? ['--beside'] : [];
  return fork(entry, ['--config', configFile, '--state-dir', paths.root, ...start], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(paths.root, 'compile-cache') },
  });
}

function notReady(): LictorError {
  return new LictorError('replace-refused', 'its control plane is not ready');
}

function parseMessage(message: unknown): FromControl | undefined {
  if (typeof message !== 'object' || message === null || !('type' in message)) return undefined;
  switch (message.type) {
    case 'ready':
    case 'beat':
    case 'done':
    case 'edge-reload':
    case 'edge-reopen':
      return { type: message.type };
    case 'notice':
      return { type: 'notice', text: 'text' in message ? String(message.text) : '' };
    case 'fatal':
      return { type: 'fatal', message: 'message' in message ? String(message.message) : 'the control plane cannot start' };
    case 'edge-start':
      return parseEdgeStart(message);
    default:
      return undefined;
  }
}

function parseEdgeStart(message: object): FromControl | undefined {
  if (!('binary' in message) || typeof message.binary !== 'string' || !('args' in message) || !Array.isArray(message.args)) return undefined;
  return { type: 'edge-start', binary: message.binary, args: message.args.map(String) };
}
