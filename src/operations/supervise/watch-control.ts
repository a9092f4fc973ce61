// Watches one control plane by its heartbeat.
import { createHeartbeat, type HeartbeatLimits } from './heartbeat.ts';
import { processInfo } from './processes/process-table.ts';

const LOOK_MS = 1000;

export interface WatchOptions {
  readonly pid: number;
  /** It is silent, or sends beats again. */
  readonly onSilent: () => void;
  readonly onHeard: () => void;
  /** Called once. */
  readonly onHung: () => void;
  readonly limits?: HeartbeatLimits | undefined;
}

export interface ControlWatch {
  beat(): void;
  ready(): void;
  stop(): void;
}

export function watchControl({ pid, onSilent, onHeard, onHung, limits }: WatchOptions): ControlWatch {
  const heartbeat = createHeartbeat(limits);
  let silent = false;
  const look = () => {
    const info = processInfo(pid);
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
  const heard = () => {
    if (silent) onHeard();
    silent = false;
  };
  return {
    beat() {
      heartbeat.beat();
      heard();
    },
    ready: () => heartbeat.ready(),
    stop: () => clearInterval(timer),
  };
}
