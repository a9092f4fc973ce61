// `lictor up`: the small process that keeps nginx and the control plane running, and leaves nothing behind.

import { setTimeout as delay } from 'node:timers/promises';
import { boundsOf, readMachine } from '../../config/machine.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { LictorError } from '../../contract/error.ts';
import type { FromControl } from '../../contract/ipc.ts';
import { claimStateDir, releaseStateDir, replaceClaim } from './claim.ts';
import { type ConnectionHold, createConnectionHold, HOLD_LIMITS } from './connection-hold.ts';
import { type ControlPlane, createControlPlane } from './control-plane.ts';
import { createEdge, type Edge } from './edge.ts';
import { askToYield, type Predecessor } from './handover.ts';
import type { HeartbeatLimits } from './heartbeat.ts';
import { endOrphanEdge } from './orphan-edge.ts';
import { waitFor } from './processes/wait-for.ts';
import { runningEdge } from './running-edge.ts';
import { foreignService } from './service-unit.ts';
import { createStop, type Stop } from './stop.ts';
import { createSuccession } from './succession.ts';

export interface SupervisorOptions {
  /** From prepareStateDir: the directories exist. */
  readonly paths: StatePaths;
  readonly configFile: string;
  /** The control plane's entry, forked with `--config FILE --state-dir DIR`. */
  readonly controlEntry: string;
  /** Takes the place of the supervisor that runs with this state directory, if there is one. */
  readonly replace?: boolean;
  /** Runs after the claim and before any start. An error ends the start. */
  readonly prepare?: () => Promise<void>;
  /** Called once: the control plane is ready, and nginx listens. */
  readonly onUp?: () => void;
  readonly heartbeat?: HeartbeatLimits | undefined;
  /** One line for the terminal. */
  readonly log: (line: string) => void;
}

/** How long nginx may finish open requests, and then how long the control plane may. */
const EDGE_MS = 10_000;
const CONTROL_MS = 15_000;

/** Runs until it is stopped (SIGTERM, SIGINT), replaced or fails; returns the exit status. Handles the process's signals. Throws `replace-refused`. */
export async function runSupervisor(options: SupervisorOptions): Promise<number> {
  const { paths } = options;
  const log = ownLog(options);
  const other = await claimStateDir(paths);
  if (other !== undefined && options.replace !== true) {
    log(`another lictor (process ${other}) runs with this state directory: stop it, start with --replace, or give another one with --state-dir DIR`);
    return 1;
  }
  const hold = createConnectionHold({ ...HOLD_LIMITS, connections: boundsOf(readMachine()).heldUpgrades });
  try {
    if (other !== undefined) return await supervise(options, hold, await replaceOther(paths, other));
    await endOrphanEdge(paths, log);
    await options.prepare?.();
    return await supervise(options, hold);
  } finally {
    hold.destroy();
    await releaseStateDir(paths);
  }
}

interface Replaced {
  readonly pid: number;
  readonly predecessor: Predecessor;
  /** nginx goes on with its listening sockets. */
  readonly edge: number;
}

async function replaceOther(paths: StatePaths, pid: number): Promise<Replaced> {
  if (pid === 1) throw new LictorError('replace-refused', 'The running lictor is the first process of its container: replace the container instead.');
  const service = foreignService(pid);
  if (service !== undefined) throw new LictorError('replace-refused', `The running lictor is ${service}, which would end with it: use systemctl restart.`);
  const edge = runningEdge(paths);
  return { pid, edge, predecessor: await askToYield(paths.handoverSocket) };
}

/** Marks the supervisor's own lines. Notices of the control plane are not marked. */
function ownLog({ log }: SupervisorOptions): (line: string) => void {
  return (line) => log(`lictor: ${line}`);
}

async function supervise(options: SupervisorOptions, hold: ConnectionHold, replaced?: Replaced): Promise<number> {
  const { paths } = options;
  const log = ownLog(options);
  let exitCode = 0;
  let wasReady = false;
  const stop = createStop();
  const firstReady = Promise.withResolvers<void>();
  const fail = (why?: string) => {
    if (wasReady) return;
    if (why !== undefined) log(why);
    exitCode = 1;
    stop.ask();
  };
  const edge = createEdge({ paths, log, running: replaced?.edge });
  const control = createControlPlane({
    entry: options.controlEntry,
    configFile: options.configFile,
    paths,
    hold,
    log,
    beside: replaced !== undefined,
    heartbeat: options.heartbeat,
    onEnd: () => {
      if (replaced !== undefined) fail('the new control plane has ended before it was ready');
      succession.dropSuccessor();
    },
    onMessage: (message) => {
      if (message.type === 'fatal') {
        options.log(message.message);
        fail();
      } else if (message.type === 'notice') options.log(message.text);
      else if (!stop.asked()) obey(edge, message);
      if (message.type !== 'ready' || stop.asked()) return;
      wasReady = true;
      firstReady.resolve();
    },
  });
  const succession = createSuccession({ paths, control, edge, hold, stop, log });
  const killAll = () => {
    edge.kill();
    control.kill();
  };
  const unlisten = listenToSignals({ SIGTERM: stop.ask, SIGINT: stop.ask, SIGHUP: succession.reload, exit: killAll });
  try {
    if (replaced === undefined) await succession.listen();
    void replaced?.predecessor.ended.then(() => (wasReady ? control.alone() : fail('the running lictor has ended: start again')));
    control.start();
    void firstReady.promise.then(async () => {
      if (replaced !== undefined) {
        replaceClaim(paths);
        await succession.listen();
        replaced.predecessor.taken();
        log(`in the place of process ${replaced.pid}`);
      }
      await notifyWhenUp(edge, stop, options.onUp);
    });
    await stop.first;
    if (!succession.isReplaced()) await Promise.race([control.leave(), stop.second]);
    succession.close();
    hold.destroy();
    await endChildren({ edge, control, log, hurry: stop.second });
  } finally {
    killAll();
    unlisten();
    replaced?.predecessor.leave();
  }
  if (replaced !== undefined && !wasReady) log(`the lictor before (process ${replaced.pid}) remains`);
  return exitCode;
}

/** nginx may need several starts: edge.ts reports its problems. */
async function notifyWhenUp(edge: Edge, stop: Stop, onUp?: () => void): Promise<void> {
  await waitFor(() => stop.asked() || edge.isUp(), { what: 'nginx to listen', timeoutMs: Number.POSITIVE_INFINITY, everyMs: 50 });
  if (!stop.asked()) onUp?.();
}

function obey(edge: Edge, message: FromControl): void {
  if (message.type === 'edge-start') edge.start(message);
  if (message.type === 'edge-reload') edge.reload();
  if (message.type === 'edge-reopen') edge.reopen();
}

interface Ending {
  readonly edge: Edge;
  readonly control: ControlPlane;
  readonly log: (line: string) => void;
  /** The second signal: stop at once. */
  readonly hurry: Promise<void>;
}

/** nginx stops listening, and finishes its requests, for which it needs the control plane. The control plane closes the sockets for which nginx waits. */
async function endChildren({ edge, control, log, hurry }: Ending): Promise<void> {
  const [edgeGone, controlGone] = [edge.ended(), control.ended()];
  edge.quit();
  control.drain();
  await endInTime(edgeGone, { name: 'nginx', ms: EDGE_MS, kill: edge.kill, log, hurry });
  control.finish();
  await endInTime(controlGone, { name: 'the control plane', ms: CONTROL_MS, kill: control.kill, log, hurry });
}

interface Limit extends Pick<Ending, 'log' | 'hurry'> {
  readonly name: string;
  readonly ms: number;
  readonly kill: () => void;
}

async function endInTime(gone: Promise<void>, { name, ms, kill, log, hurry }: Limit): Promise<void> {
  const timer = new AbortController();
  const late = delay(ms, 'late', { signal: timer.signal }).catch(() => 'cancelled');
  const how = await Promise.race([gone.then(() => 'gone'), hurry.then(() => 'hurry'), late]);
  timer.abort();
  if (how !== 'gone') {
    log(how === 'hurry' ? `stopping ${name} at once` : `${name} has not ended within ${ms / 1000} s: killing it`);
    kill();
  }
  await gone;
}

function listenToSignals(handlers: Readonly<Record<string, () => void>>): () => void {
  for (const [event, handler] of Object.entries(handlers)) process.on(event, handler);
  return () => {
    for (const [event, handler] of Object.entries(handlers)) process.removeListener(event, handler);
  };
}
