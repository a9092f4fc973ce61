// Runs a program in place of this one, with the same streams, signals and exit status.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isErrno } from '../contract/errno.ts';

/** Signals that a terminal sends to every process of its foreground group. */
const OF_TERMINALS: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT']);
const PASSED_ON: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'];

/**
 * Resolves with its exit status: 128 plus the number of a signal that ended it, 127 if there is no such program, 126 if it cannot run.
 * At a terminal it shares the process group of this process. Otherwise it has a separate one, so that it gets each signal only once.
 */
export function runChild(command: readonly string[], env: Readonly<Record<string, string>>, say: (line: string) => void): Promise<number> {
  const [program = '', ...args] = command;
  const atTerminal = process.stdin.isTTY === true;
  // Before the start: otherwise an early signal would end only this process.
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
  /** Passes earlier and later signals. */
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
