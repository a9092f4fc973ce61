// Sees a control plane that hangs. It counts looks, not time: a process that had no CPU, or a supervisor that had none, is not a hung one.

/** What the kernel says of the process at one look (proc(5)): its state, and the CPU time of all its threads. */
export interface Look {
  readonly state: string;
  readonly cpuMs: number;
  readonly atMs: number;
}

export type Health = 'well' | 'silent' | 'hung';

export interface Heartbeat {
  /** Its event loop has come round. */
  beat(): void;
  /** It is ready; until then it has `startLooks`, whether it beats or not. */
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

/** Of a core. A process with less had to wait for one; a process with more that sends no beat is in an endless loop. */
const BUSY_SHARE = 0.5;
/** What starts and uses less than this waits for something. */
const IDLE_SHARE = 0.02;

export function createHeartbeat(limits: HeartbeatLimits = HEARTBEAT_LIMITS): Heartbeat {
  let [heard, isReady] = [false, false];
  let missed = 0;
  let last: Look | undefined;

  const health = (): Health => {
    if (missed >= (isReady ? limits.hungLooks : limits.startLooks)) return 'hung';
    return isReady && missed >= limits.silentLooks ? 'silent' : 'well';
  };
  return {
    beat() {
      heard = true;
      if (isReady) missed = 0;
    },
    ready() {
      isReady = true;
      heard = true;
      missed = 0;
    },
    look(now) {
      const share = last === undefined ? 1 : (now.cpuMs - last.cpuMs) / Math.max(1, now.atMs - last.atMs);
      last = now;
      const stands = heard ? !isReady && share < IDLE_SHARE : !couldNotRun(now.state, share);
      heard = false;
      if (stands) missed += 1;
      return health();
    },
  };
}

/** It waits for a core, or for the disk. A stopped one (`T`) does not come back by itself, and one that sleeps (`S`) would have woken for its beat. */
function couldNotRun(state: string, share: number): boolean {
  return state === 'D' || (state === 'R' && share < BUSY_SHARE);
}
