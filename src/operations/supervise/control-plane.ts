// The control plane as a child: forked, restarted when it ends, and controlled by messages.
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { StatePaths } from '../../config/state-dir.ts';
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
  readonly heartbeat?: HeartbeatLimits | undefined;
}

export interface ControlPlane extends Supervised {
  /** Resolves when load balancers have had time to use other nodes, or when it is not ready. */
  leave(): Promise<void>;
  /** Closes its sockets. */
  drain(): void;
  /** Ends it when its requests are answered. One that is not ready has none, and is ended. */
  finish(): void;
  /** Reloads the configuration. A starting control plane gets the message when it is ready. */
  reload(): void;
}

export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { hold, log, paths } = options;
  let ready = false;
  let everReady = false;
  let reloadWaits = false;
  let left = Promise.withResolvers<void>();

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
    if (message.type === 'left') left.resolve();
    options.onMessage(message);
  };
  const lose = () => {
    ready = false;
    left.resolve();
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
  const reload = () => {
    reloadWaits = !ready;
    if (ready) send({ type: 'reload' });
  };
  return {
    ...supervised,
    leave: () => {
      left = Promise.withResolvers();
      if (ready) send({ type: 'leave' });
      else left.resolve();
      return left.promise;
    },
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
function forkControl({ entry, configFile, paths }: ControlPlaneOptions, again: boolean): ChildProcess {
  return fork(entry, ['--config', configFile, '--state-dir', paths.root, ...(again ? ['--in-use'] : [])], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(paths.root, 'compile-cache') },
  });
}

function parseMessage(message: unknown): FromControl | undefined {
  if (typeof message !== 'object' || message === null || !('type' in message)) return undefined;
  switch (message.type) {
    case 'ready':
    case 'beat':
    case 'left':
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
