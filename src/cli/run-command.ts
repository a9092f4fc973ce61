// Runs a program to its end for a command: output kept, shown, or both.
import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import type { Environment } from '../config/load.ts';

export interface RunOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Environment;
  readonly cwd?: string;
  /** Where output is shown as it comes; left out: kept only. */
  readonly show?: Writable;
}

export interface RunResult {
  /** Null when it was ended by a signal or could not be started. */
  readonly status: number | null;
  /** Standard output and error, as they came; at most the last 256 KiB. */
  readonly output: string;
}

const KEPT_CHARACTERS = 262_144;

/** Never rejects: a program that cannot be started has status null and says why in its output. */
export function runCommand({ command, args, env, cwd, show }: RunOptions): Promise<RunResult> {
  return new Promise((resolve) => {
    let output = '';
    const keep = (text: string) => {
      output = (output + text).slice(-KEPT_CHARACTERS);
      show?.write(text);
    };
    const child = spawn(command, [...args], { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'], ...(cwd === undefined ? {} : { cwd }) });
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => {
      keep(`${command}: ${error.message}\n`);
      resolve({ status: null, output });
    });
    child.on('close', (status) => resolve({ status, output }));
  });
}
