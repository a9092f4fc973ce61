// A process that another one has started, as if it were a child.
import { EventEmitter } from 'node:events';
import { isAlive, signalProcess } from './processes/process-table.ts';

/** What a supervised process offers. A ChildProcess has it. */
export interface Leader {
  readonly pid?: number | undefined;
  kill(signal?: NodeJS.Signals): boolean;
  once(event: 'exit', listener: (code: number | null, signal: NodeJS.Signals | null) => void): unknown;
  once(event: 'error', listener: (error: Error) => void): unknown;
  unref(): unknown;
}

const LOOK_MS = 100;

/** Its end is seen within 0.1 s, without its status. */
export function adopt(pid: number): Leader {
  const events = new EventEmitter();
  const timer = setInterval(() => {
    if (isAlive(pid)) return;
    clearInterval(timer);
    events.emit('exit', null, null);
  }, LOOK_MS);
  return {
    pid,
    kill(signal = 'SIGTERM') {
      signalProcess(pid, signal);
      return true;
    },
    once: (event: string, listener: (...args: never[]) => void) => events.once(event, listener as (...args: unknown[]) => void),
    unref: () => timer.unref(),
  };
}
