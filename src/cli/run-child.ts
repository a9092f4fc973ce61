// Runs a program in place of this one: its streams, its signals, its exit status.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isErrno } from '../contract/errno.ts';

/** What a terminal sends to every process of its foreground group by itself. */
const OF_TERMINALS: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT']);
const PASSED_ON: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'];

/**
 * Resolves with its exit status: 128 and the signal's number when one ended it, 127 when there is no such program, 126 when it cannot
 * be run. At a terminal it shares our process group; else it has its own, so that a signal to ours reaches it once, through us.
 */
export function runChild(command: readonly string[], env: Readonly<Record<string, string>>, say: (line: string) => void): Promise<number> {
  const [program = '', ...args] = command;
  const atTerminal = process.stdin.isTTY === true;
  // Before it is started: a signal that comes in between must not end this process alone.
  const signals = catchSignals();
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'inherit', env, detached: !atTerminal });
    signals.passTo((signal) => {
      if (!atTerminal || !OF_TERMINALS.has(signal)) child.kill(signal);
    });
    child.once('error', (error) => {
      signals.release();
      const missing = isErrno(error, 'ENOENT');
      say(`${program}: ${missing ? 'there is no such program' : 'cannot be run'}`);
      resolve(missing ? 127 : 126);
    });
    child.once('exit', (code, signal) => {
      signals.release();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

interface CaughtSignals {
  /** Those that have come already, and those to come. */
  passTo(pass: (signal: NodeJS.Signals) => void): void;
  release(): void;
}

function catchSignals(): CaughtSignals {
  const early: NodeJS.Signals[] = [];
  let pass = (signal: NodeJS.Signals): void => void early.push(signal);
  const onSignal = (signal: NodeJS.Signals): void => pass(signal);
  for (const signal of PASSED_ON) process.on(signal, onSignal);
  return {
    passTo(next) {
      pass = next;
      for (const signal of early.splice(0)) next(signal);
    },
    release() {
      for (const signal of PASSED_ON) process.off(signal, onSignal);
    },
  };
}
