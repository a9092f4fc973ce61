// Detects a hung control plane. It counts looks, not time: a process or supervisor without CPU is not a hung one.
import { watchProcess } from './processes/process-table.ts';

/** The kernel's data about the process (proc(5)): its state, and the CPU time of all its threads. */
export interface Look {
  readonly state: string;
  readonly cpuMs: number;
  readonly atMs: number;
}

export type Health = 'well' | 'silent' | 'hung';

export interface Heartbeat {
  /** The event loop of the control plane works. */
  beat(): void;
  /** Before that it has `startLooks`, with or without beats. */
  ready(): void;
  look(now: Look): Health;
}

export interface HeartbeatLimits {
  /** Looks without a beat until it is `silent`, and until it is `hung`. */
  readonly silentLooks: number;
  readonly hungLooks: number;
  readonly startLooks: number;
}

/** One look a second. */
export const HEARTBEAT_LIMITS: HeartbeatLimits = { silentLooks: 2, hungLooks: 6, startLooks: 300 };

/** Share of a core. A process below it had to wait for a core. One above it without a beat is in an endless loop. */
const BUSY_SHARE = 0.5;
/** A starting process below this share waits for something. */
const IDLE_SHARE = 0.02;

export function createHeartbeat(limits: HeartbeatLimits = HEARTBEAT_LIMITS): Heartbeat {
  let [hasBeat, isReady] = [false, false];
  let missed = 0;
  let last: Look | undefined;

  const health = (): Health => {
    if (missed >= (isReady ? limits.hungLooks : limits.startLooks)) return 'hung';
    return isReady && missed >= limits.silentLooks ? 'silent' : 'well';
  };
  return {
    beat() {
      hasBeat = true;
      if (isReady) missed = 0;
    },
    ready() {
      isReady = true;
      hasBeat = true;
      missed = 0;
    },
    look(now) {
      const share = last === undefined ? 1 : (now.cpuMs - last.cpuMs) / Math.max(1, now.atMs - last.atMs);
      last = now;
      const stands = hasBeat ? !isReady && share < IDLE_SHARE : !couldNotRun(now.state, share);
      hasBeat = false;
      if (stands) missed += 1;
      return health();
    },
  };
}

/** It waits for a core (`R`) or the disk (`D`). A stopped process (`T`) stays stopped, and a sleeping one (`S`) would have sent its beat. */
function couldNotRun(state: string, share: number): boolean {
  return state === 'D' || (state === 'R' && share < BUSY_SHARE);
}

const LOOK_MS = 1000;

export interface WatchOptions {
  readonly pid: number;
  /** It is silent, or sends beats again. */
  readonly onSilent: () => void;
  readonly onResumed: () => void;
  /** Called once. */
  readonly onHung: () => void;
  readonly limits?: HeartbeatLimits | undefined;
}

export interface ControlWatch {
  beat(): void;
  ready(): void;
  stop(): void;
}

export function watchControl({ pid, onSilent, onResumed, onHung, limits }: WatchOptions): ControlWatch {
  const heartbeat = createHeartbeat(limits);
  const watched = watchProcess(pid);
  let silent = false;
  const look = () => {
    const info = watched.info();
    if (info === undefined) return;
    const health = heartbeat.look({ state: info.state, cpuMs: info.cpuMs, atMs: performance.now() });
    if (health === 'silent' && !silent) {
      silent = true;
      onSilent();
    }
    if (health !== 'hung') return;
    clearInterval(timer);
    onHung();
  };
  const timer = setInterval(look, LOOK_MS);
  const resume = () => {
    if (silent) onResumed();
    silent = false;
  };
  return {
    beat() {
      heartbeat.beat();
      resume();
    },
    ready: () => heartbeat.ready(),
    stop: () => {
      clearInterval(timer);
      watched.close();
    },
  };
}
